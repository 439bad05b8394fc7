"""Shapes of JSON values, for reading what others wrote: a value fits, or it is left out. Nothing here raises.

A shape is a type (`int` takes no boolean, `float` takes every finite number, `object` anything), None, a frozenset
of words, `[shape]` for a list, a tuple of alternatives, `{str: shape}` for an object with any names, or an
object's names with their shapes, where `"name?"` may be absent or null.
"""

import math
from collections.abc import Mapping
from typing import Any, TypeAlias

Shape: TypeAlias = Any


def fits(value: object, shape: Shape) -> bool:
    """Whether the value has the shape; names that the shape does not mention are free."""
    match shape:
        case None:
            return value is None
        case frozenset():
            return isinstance(value, str) and value in shape
        case [entry] if isinstance(shape, list):
            return isinstance(value, list) and all(fits(below, entry) for below in value)
        case tuple():
            return any(fits(value, alternative) for alternative in shape)
        case dict():
            return isinstance(value, Mapping) and _object_fits(value, shape)
        case _:
            return _is_a(value, shape)


def _object_fits(value: Mapping[str, Any], shape: Mapping[Any, Shape]) -> bool:
    if str in shape:
        return all(fits(below, shape[str]) for below in value.values())
    for name, below in shape.items():
        found = value.get(name.removesuffix("?"))
        if not (found is None and name.endswith("?")) and not fits(found, below):
            return False
    return True


def _is_a(value: object, kind: type) -> bool:
    if isinstance(value, bool):
        return kind in (bool, object)
    if kind is float:
        return isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    return isinstance(value, kind)


def trimmed(value: Mapping[str, Any], optional: Mapping[str, Shape]) -> dict[str, Any]:
    """The object without those optional fields whose value does not fit."""
    return {
        name: found
        for name, found in value.items()
        if name not in optional or found is None or fits(found, optional[name])
    }


def whole_number(value: object) -> int | None:
    """The value as an integer, also from `3.0`; None if it is no whole number."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
