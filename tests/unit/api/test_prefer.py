import pytest

from api.prefer import wait_seconds


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0), ("", 0), ("respond-async", 0), ("wait=10", 10), ("wait=0", 0), ("wait=2.5", 2.5), ("wait=61", 60),
        ("wait=999999", 60), ("respond-async, wait=10", 10), ("WAIT = 10", 10), ('wait="10"', 10),
        ("wait=10; foo=bar", 10),
        ("wait=5, wait=10", 5), ("waiting=9", 0), ("wait=" + "9" * 5000, 60), ("wait=soon, wait=5", 5),
    ],
)  # fmt: skip
def test_the_wait_is_found_and_bounded(header: str | None, seconds: float) -> None:
    assert wait_seconds(header) == seconds


def test_a_door_that_holds_answers_for_longer_says_for_how_long() -> None:
    assert [wait_seconds(f"wait={given}", most=540) for given in (61, 541)] == [61, 540]


def test_who_wishes_not_to_wait_is_told_from_who_wishes_nothing() -> None:
    assert [wait_seconds(given, most=540, unasked=540) for given in ("wait=0", "respond-async", None)] == [0, 540, 540]


@pytest.mark.parametrize("header", ["wait", "wait=", "wait=x", "wait=-1", "wait=1e1", "wait=nan", "wait=٣", "wait=5s"])
def test_a_malformed_wish_is_no_wish(header: str) -> None:
    assert wait_seconds(header) == 0
