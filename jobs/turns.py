"""How many jobs go before one, by the rule of fair shares."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A project that waits in a backlog: the service it has received there, its weight, and the jobs it has waiting."""

    service: float
    weight: float
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """`likely` counts the jobs that wait now; `at_most` has every project that waits go on submitting."""

    likely: int
    at_most: int


def jobs_ahead(own: Share, position: int, others: Iterable[Share]) -> Ahead:
    """For the job at `position` (1 is next) of `own`: each takes turns until it has received as much by weight."""
    turn = own.service + (position - 1) / own.weight
    likely = at_most = position - 1
    for other in others:
        turns = max(0, math.ceil((turn - other.service) * other.weight))
        likely += min(other.waiting, turns)
        at_most += turns
    return Ahead(likely=likely, at_most=at_most)
