import pytest

from api.byte_range import asked_part


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-3", range(4)), ("bytes=5-", range(5, 10)), ("bytes=-3", range(7, 10)), ("bytes=9-9", range(9, 10)),
        ("bytes=0-100", range(10)), ("bytes=-100", range(10)), ("Bytes= 2-4 ", range(2, 5)),
        ("bytes=0-" + "9" * 100, range(10)),
    ],
)  # fmt: skip
def test_a_part_lies_within_what_there_is(header: str, part: range) -> None:
    assert asked_part(header, size=10) == part


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=" + "9" * 100 + "-"])
def test_a_part_behind_the_end_is_empty(header: str) -> None:
    part = asked_part(header, size=10)
    assert part is not None
    assert len(part) == 0


@pytest.mark.parametrize(
    "header",
    [
        None, "", "bytes", "bytes=", "bytes=-", "bytes=5-2", "bytes=a-b", "bytes=1-2,4-5", "items=0-1", "bytes=+1-2",
        "bytes=1", "bytes=٣-", "bytes=" + "9" * 5000 + "-", "x bytes=0-1", "bytes=0-1 x",
    ],
)  # fmt: skip
def test_what_is_not_understood_is_a_wish_for_all(header: str | None) -> None:
    assert asked_part(header, size=10) is None
