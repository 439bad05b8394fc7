"""Figures over time: how many jobs came and how they ended, and how long they waited and ran."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, zip_longest
from typing import Any, Literal

import redis

from jobs import keys, scripts

Step = Literal["minute", "hour"]
STEP_SECONDS: dict[Step, int] = {"minute": 60, "hour": 3600}
KEPT_SECONDS: dict[Step, int] = {"minute": 2 * 86400, "hour": 60 * 86400}
MOST_POINTS = 3000

COUNTS = ("submitted", "completed", "failed", "incomplete", "cancelled")
"""What the first counters count, four bytes each."""

BUCKETS_AT = 8
"""The first counter of a bucket; one of queue times and one of run times take turns, shorter times first."""

GROWTH = 1.1
WHOLE = 10
"""Buckets below this are a millisecond wide; from there on each is wider than the one before by GROWTH."""

PIECE = 1000
"""Keys that are read at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantiles:
    """In seconds, within 5 %."""

    p50: float
    p95: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One minute or hour from `start` (seconds since the epoch).

    The times are those of jobs that ended in it: until their first start, and from there to the end, which those that
    were cancelled do not tell; None where there was none.
    """

    start: int
    submitted: int
    completed: int
    failed: int
    incomplete: int
    cancelled: int
    queue_seconds: Quantiles | None
    run_seconds: Quantiles | None


class Series:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def points(self, project: str | None, first: float, last: float, step: Step = "minute") -> list[Point]:
        """One for each step from the one that `first` lies in to that of `last` (seconds since the epoch), oldest
        first; of `project` or (None) of all together. MOST_POINTS at most; more is cut at the end.

        Raises StoreUnavailable.
        """
        width = STEP_SECONDS[step]
        begin, end = int(first // width), int(last // width)
        numbers = range(begin, min(end, begin + MOST_POINTS - 1) + 1)
        sums: dict[int, list[int]] = {number: [] for number in numbers}
        with scripts.translated():
            for name in [project] if project is not None else self._projects():
                for number, counters in self._read(name, step, numbers):
                    sums[number] = _added(sums[number], counters)
        return [_point(number * width, sums[number]) for number in numbers]

    def now(self) -> float:
        """The server's time, by which figures are booked, in seconds since the epoch. Raises StoreUnavailable."""
        with scripts.translated():
            seconds, micros = self._client.time()
        return int(seconds) + int(micros) / 1_000_000

    def _read(self, project: str, step: Step, numbers: range) -> Iterator[tuple[int, Sequence[int]]]:
        """The counters of each step in which something happened."""
        for at in range(0, len(numbers), PIECE):
            piece = numbers[at : at + PIECE]
            found: Any = self._client.mget([keys.series(step, project, number) for number in piece])
            for number, packed in zip(piece, found, strict=True):
                if packed:
                    yield number, struct.unpack(f">{len(packed) // 4}I", packed)

    def _projects(self) -> list[str]:
        names: set[Any] = self._client.smembers(keys.PROJECTS)
        return sorted(name.decode() for name in names)


def _added(sums: list[int], counters: Sequence[int]) -> list[int]:
    return [one + other for one, other in zip_longest(sums, counters, fillvalue=0)] if sums else list(counters)


def _point(start: int, counters: Sequence[int]) -> Point:
    padded = [*counters, *[0] * len(COUNTS)]
    return Point(
        start=start,
        **dict(zip(COUNTS, padded, strict=False)),
        queue_seconds=quantiles(counters[BUCKETS_AT::2]),
        run_seconds=quantiles(counters[BUCKETS_AT + 1 :: 2]),
    )


def quantiles(buckets: Sequence[int]) -> Quantiles | None:
    """What the times are that the buckets count; None if they count none."""
    total = sum(buckets)
    return Quantiles(p50=_quantile(buckets, 0.5 * total), p95=_quantile(buckets, 0.95 * total)) if total else None


def _quantile(buckets: Sequence[int], rank: float) -> float:
    """The least time, in seconds, that at least `rank` of those counted do not exceed."""
    reached = next(bucket for bucket, passed in enumerate(accumulate(buckets)) if passed >= rank)
    return _middle(reached) / 1000


def _middle(bucket: int) -> float:
    """What a bucket's times are taken for, in milliseconds: no more than 5 % away from any of them."""
    return float(bucket) if bucket < WHOLE else WHOLE * math.pow(GROWTH, bucket - WHOLE + 0.5)
