import pytest

from tests.unit.api.conftest import Caller, error_of

RESPONSE = f"/v1/responses/resp_{'0' * 32}"


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (f"{RESPONSE}?stream=yes", "stream: must be true or false"),
        (f"{RESPONSE}?stream=true&starting_after=three", "starting_after: must be a whole number"),
        (f"{RESPONSE}/input_items?limit=", "limit: must be a whole number"),
        ("/v1/jobs?limit=1.5", "limit: must be a whole number"),
        ("/v1/usage?from=today", "from: must be a day such as 2026-11-23"),
    ],
)
def test_what_is_no_such_value_is_a_400_that_says_what_is_wanted(path: str, told: str, alice: Caller) -> None:
    answer = alice.get(path)
    assert answer.status_code == 400
    assert error_of(answer)["message"] == told
