"""A metric: its name and labels, and its samples as they were read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]
Labels = tuple[str, ...]
"""Values, in the order of the family's names."""

LANE = ("account", "model")
"""How a lane or a backlog is labelled; a backlog of any account has the account `*`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """`labels` hold a lane as LANE, always last. `known` are all values of the first label, where those are few:
    they are told from the beginning on, as 0. What is kept is divided by `unit`. `bounds` are the upper ones of the
    buckets of a histogram, in seconds as text.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    unit: int = 1
    bounds: tuple[str, ...] = ()

    @property
    def sample_names(self) -> tuple[str, ...]:
        """As Prometheus stores them."""
        if self.kind == "histogram":
            return (f"{self.name}_bucket", f"{self.name}_count", f"{self.name}_sum")
        return (self.name,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """How often a time fell into each bucket, by its upper bound in seconds as text; and the sum of all, in seconds."""

    buckets: Mapping[str, int]
    sum_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The samples of a family by the values of its labels."""

    family: Family
    samples: Mapping[Labels, float | Distribution]
