"""How the value of an entry in a fault list is read. Every reader raises ValueError for what does not fit."""

import math
import re
from collections.abc import Callable

SECONDS_MAX = 3_600.0


def seconds(value: str) -> float:
    """A number of seconds, up to an hour."""
    number = float(value)
    if math.isfinite(number) and 0 <= number <= SECONDS_MAX:
        return number
    raise ValueError(value)


def whole(low: int, high: int) -> Callable[[str], int]:
    """A reader of whole numbers within these bounds."""

    def read(value: str) -> int:
        number = int(value)
        if low <= number <= high:
            return number
        raise ValueError(value)

    return read


def flag(value: str) -> bool:
    """An entry that stands without a value."""
    if value:
        raise ValueError(value)
    return True


def text(value: str) -> str:
    """Any text that can be shown."""
    if not value or not value.isprintable():
        raise ValueError(value)
    return value


def header_text(value: str) -> str:
    """A text that can stand in a header without being encoded."""
    if re.fullmatch(r"[\x20-\x7e]+", value):
        return value
    raise ValueError(value)


def one_of(*names: str) -> Callable[[str], str]:
    """A reader of one of these names."""

    def read(value: str) -> str:
        if value in names:
            return value
        raise ValueError(value)

    return read


def some_of(*names: str) -> Callable[[str], frozenset[str]]:
    """A reader of some of these names, joined by `+`."""

    def read(value: str) -> frozenset[str]:
        found = frozenset(value.split("+"))
        if found <= set(names):
            return found
        raise ValueError(value)

    return read
