"""JSON text of an upstream read leniently: what is read can always be written again as JSON that everyone takes."""

from __future__ import annotations

import json
import math
import re
from typing import Any

MOST_LEVELS = 100
INTEGER_BOUND = 1 << 63

_lone_surrogate = re.compile("[\ud800-\udfff]")


def parse_object(data: bytes) -> dict[str, Any]:
    """The object that `data` holds. Raises ValueError for all else, and for more than MOST_LEVELS of nesting.

    NaN, infinities and numbers that no double holds become null, integers beyond 64 bits floats, and halves of
    surrogate pairs U+FFFD.
    """
    try:
        value = _decoder.decode(data.decode(json.detect_encoding(data), "surrogatepass"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return {_text(name): _sound(below, level=1) for name, below in value.items()}


def _null(_: str) -> None:
    return None


def _float(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _integer(digits: str) -> int | float | None:
    # The length goes first: Python refuses to read an integer of thousands of digits at all.
    if len(digits) <= 20 and -INTEGER_BOUND <= (number := int(digits)) < INTEGER_BOUND:
        return number
    return _float(digits)


def _sound(value: Any, *, level: int) -> Any:
    match value:
        case str():
            return _text(value)
        case dict() | list() if level >= MOST_LEVELS:
            raise ValueError("nested too deeply")
        case dict():
            return {_text(name): _sound(below, level=level + 1) for name, below in value.items()}
        case list():
            return [_sound(below, level=level + 1) for below in value]
        case _:
            return value


def _text(text: str) -> str:
    return text if text.isascii() else _lone_surrogate.sub("\ufffd", text)


_decoder = json.JSONDecoder(parse_constant=_null, parse_float=_float, parse_int=_integer)
