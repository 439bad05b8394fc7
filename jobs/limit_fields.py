"""What a field of the limits file takes. All mistakes are ValueErrors that name the field and its bounds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A whole number between bounds, both included."""

    low: int
    high: int

    def read(self, name: str, value: object) -> int:
        if type(value) is not int or not self.low <= value <= self.high:
            raise ValueError(f"{name} must be a whole number from {self.low} to {self.high}")
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Decimals:
    """A number between bounds, both included, with or without decimals."""

    low: float
    high: float

    def read(self, name: str, value: object) -> float:
        # Neither `true` nor NaN is a number here.
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.low <= value <= self.high:
            raise ValueError(f"{name} must be a number from {self.low:.12g} to {self.high:.12g}")
        return float(value)


def read_numbers(table: Mapping[str, object], fields: Mapping[str, Whole | Decimals]) -> dict[str, int | float]:
    """The numbers of `table`, which may leave out fields but has no others."""
    refuse_others(table, fields)
    return {name: fields[name].read(name, value) for name, value in table.items()}


def read_text(table: Mapping[str, object], name: str) -> str:
    value = table.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} must be a string that is not empty")
    return value


def read_table(document: Mapping[str, object], name: str) -> Mapping[str, object]:
    """The table `name` inside `document`; an empty one if it is absent."""
    table = document.get(name, {})
    if not isinstance(table, dict):
        raise ValueError(f"{name} must be a table")
    return table


def refuse_others(table: Mapping[str, object], known: Iterable[str]) -> None:
    for name in table:
        if name not in known:
            raise ValueError(f"{name!r} is no field here; known are {', '.join(known)}")
