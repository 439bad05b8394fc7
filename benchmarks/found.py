"""What a scenario found: medians of its contestants, and how far its targets are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Values = Mapping[str, float]
"""Of one measurement, by the key of its column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    key: str
    title: str
    digits: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`value` is None where it could not be measured."""

    text: str
    value: float | None
    bound: float
    wanted: Literal["at least", "at most"]
    digits: int = 2

    @property
    def met(self) -> bool:
        if self.value is None:
            return False
        return self.value >= self.bound if self.wanted == "at least" else self.value <= self.bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """A figure: the bars of one column. `better` says which way."""

    key: str
    title: str
    better: Literal["longer", "shorter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """`samples` are the measurements of each contestant, one a round; `notes` stand under the table."""

    name: str
    title: str
    columns: Sequence[Column]
    samples: Mapping[str, Sequence[Values]]
    targets: Sequence[Target] = ()
    bars: Sequence[Bars] = ()
    notes: Sequence[str] = ()
    options: Mapping[str, object] = field(default_factory=dict)
