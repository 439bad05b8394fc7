import pytest

from sandbox.errors import Refused
from sandbox.keys import end_of, key_of


def test_any_key_is_let_in_unless_one_is_set() -> None:
    assert key_of("Bearer anything", wanted=None) == "anything"
    assert key_of("bearer  right ", wanted="right") == "right"


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer ", "Basic right", "right", "Bearer wrong", "Bearer r\xefght"]
)
def test_another_key_or_none_is_refused(authorization: str) -> None:
    with pytest.raises(Refused) as caught:
        key_of(authorization, wanted="right")
    assert caught.value.status == 401


def test_the_end_of_a_key_tells_it_from_others() -> None:
    assert [end_of(key) for key in ("secret-east", "secret-west", "abc")] == ["east", "west", "abc"]
