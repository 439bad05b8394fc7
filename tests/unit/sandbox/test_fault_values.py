from collections.abc import Callable
from typing import Any

import pytest

from sandbox.fault_values import flag, header_text, one_of, seconds, some_of, text, whole


@pytest.mark.parametrize(
    ("read", "value", "found"),
    [
        (seconds, "0.5", 0.5),
        (whole(1, 5), "5", 5),
        (flag, "", True),
        (text, "a b é", "a b é"),
        (header_text, "Wed, 21 Oct", "Wed, 21 Oct"),
        (one_of("a", "b"), "b", "b"),
        (some_of("a", "b", "c"), "a+c", frozenset({"a", "c"})),
    ],
)
def test_a_value_that_fits_is_read(read: Callable[[str], Any], value: str, found: object) -> None:
    assert read(value) == found


@pytest.mark.parametrize(
    ("read", "values"),
    [
        (seconds, ["", "x", "-1", "nan", "inf", "3601"]),
        (whole(1, 5), ["", "0", "6", "1.5"]),
        (flag, ["1", "no"]),
        (text, ["", "a\nb"]),
        (header_text, ["", "é", "a\rb"]),
        (one_of("a"), ["", "b"]),
        (some_of("a", "b"), ["", "a+c", "a,b"]),
    ],
)
def test_one_that_does_not_fit_is_not(read: Callable[[str], Any], values: list[str]) -> None:
    for value in values:
        with pytest.raises(ValueError, match=r".*"):
            read(value)
