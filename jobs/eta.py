"""When a job that waits will start: from how long calls took lately, and how fast its lanes let calls in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

P90_DEVIATIONS = 1.645
"""More than the 1.28 of a normal distribution: the waits of a wave of jobs are long or short together, and a time that
is promised for nine in ten should also hold for nine in ten of an unlucky wave."""

DISPATCH_SECONDS = 0.25
SLACK = 0.1
"""Handing over takes time, calls take turns with those of others, and the tokens ahead are only estimated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Eta:
    """Seconds from now until the start: as likely before as after, and in nine of ten cases before."""

    p50_seconds: float
    p90_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What lies before the jobs of a backlog. `slots` calls may run at a time, of which `busy` do; `starts_per_second`
    is None without a rate limit; `opens_in_seconds` is until anything may start at all."""

    slots: int
    busy: int
    starts_per_second: float | None
    opens_in_seconds: float
    run_seconds: Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The mean and the variance of a time, in seconds."""

    mean: float
    variance: float

    def p90(self) -> float:
        return self.mean * (1 + SLACK) + P90_DEVIATIONS * math.sqrt(self.variance)


def estimate_start(outlook: Outlook, *, ahead: int, ahead_at_most: int) -> Eta | None:
    """`ahead` jobs go before; `ahead_at_most` if all who wait now go on as they do. None where nothing can be known:
    there is no slot, or it needs calls to end and none has ended yet."""
    likely, late = _slot_wait(outlook, ahead), _slot_wait(outlook, ahead_at_most)
    if likely is None or late is None:
        return None
    rate = outlook.starts_per_second
    paced, paced_late = (ahead / rate, ahead_at_most / rate * (1 + SLACK)) if rate else (0.0, 0.0)
    p50 = outlook.opens_in_seconds + max(likely.mean, paced)
    p90 = outlook.opens_in_seconds + max(late.p90(), paced_late) + DISPATCH_SECONDS
    return Eta(p50_seconds=p50, p90_seconds=max(p50, p90))


def _slot_wait(outlook: Outlook, ahead: int) -> Spread | None:
    """Until a slot is free for a job with `ahead` before it."""
    free = max(0, outlook.slots - outlook.busy)
    if outlook.slots < 1:
        return None
    if ahead < free:
        return Spread(mean=0.0, variance=0.0)
    runs = outlook.run_seconds
    if not runs:
        return None
    return _until_ended(ahead - free + 1, slots=outlook.slots, runs=runs)


def _until_ended(ends: int, *, slots: int, runs: Sequence[float]) -> Spread:
    """Until as many calls have ended, all slots being busy all the time.

    The first to end is already under way, and long calls are the likelier to be met under way: its time follows the
    residual life of a renewal process. The ends of many slots together come like a Poisson process.
    """
    first, second, third = (sum(run**power for run in runs) / len(runs) for power in (1, 2, 3))
    if first <= 0:
        return Spread(mean=0.0, variance=0.0)
    variance = max(0.0, second - first**2)
    residual = second / (2 * first)
    residual_variance = max(0.0, third / (3 * first) - residual**2)
    step = max(variance, first**2 if slots > 1 else 0.0)
    mean = (residual + (ends - 1) * first) / slots
    # How well the mean itself is known, from so few samples.
    unsure = mean**2 * variance / first**2 / len(runs)
    return Spread(mean=mean, variance=(residual_variance + (ends - 1) * step) / slots**2 + unsure)
