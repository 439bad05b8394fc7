import pytest

from api.errors import Refusal
from api.prefer import wait_seconds


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0), ("", 0), ("respond-async", 0), ("wait=10", 10), ("wait=0", 0), ("wait=2.5", 2.5), ("wait=61", 60),
        ("wait=999999", 60), ("respond-async, wait=10", 10), ("WAIT = 10", 10), ('wait="10"', 10),
        ("wait=10; foo=bar", 10),
        ("wait=5, wait=10", 5), ("waiting=9", 0),
    ],
)  # fmt: skip
def test_the_wait_is_found_and_bounded(header: str | None, seconds: float) -> None:
    assert wait_seconds(header) == seconds


@pytest.mark.parametrize(
    "header", ["wait", "wait=", "wait=x", "wait=-1", "wait=1e1", "wait=nan", "wait=٣", "wait=9999999"]
)
def test_what_is_no_number_is_refused(header: str) -> None:
    with pytest.raises(Refusal) as caught:
        wait_seconds(header)
    assert caught.value.status == 400
