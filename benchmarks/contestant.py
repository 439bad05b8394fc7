"""Who takes part: something that is given jobs and works them off against the endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from benchmarks.child import Child
from benchmarks.place import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """The processes that work; `width` is how many calls each makes at a time, None for what the contestant likes."""

    processes: int = 1
    width: int | None = None


class Contestant(Protocol):
    name: str

    def missing(self) -> str | None:
        """Why it cannot take part here, if it cannot."""

    def preload(self, place: Place, count: int) -> float:
        """Queues that many jobs; the seconds that its client took for it."""

    def working(self, place: Place, workers: Workers) -> AbstractContextManager[Sequence[Child]]:
        """The processes that work jobs off, for as long as the block lasts."""

    def answered(self, place: Place) -> int:
        """How many results can be read by the ids of their jobs."""


class Paced(Protocol):
    """Who can be sent one job at a time."""

    def send_each(self, place: Place, count: int, *, pause_seconds: float) -> list[tuple[str, float]]:
        """The mark of each job and when it was sent, by the monotonic clock."""
