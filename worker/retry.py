"""What to do about a problem. Takes values and returns values; others act on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from jobs.runs import Spend
from worker import holds
from worker.holds import Hold
from worker.outcome import Problem
from worker.refusals import Kind

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 60.0
MOST_DOWNLOADS = 3
UNREADY_SECONDS = 5.0
MOST_UNREADY_SNOOZES = 100
"""With the jitter, about ten minutes for what the upstream still works on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryIn:
    """Back into the queue, an attempt spent; with `unless_down` none while the endpoint is known to be down."""

    delay_seconds: float
    hold: Hold | None = None
    spend: Spend = "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snooze:
    """Back into the queue, no attempt spent: as soon as the lane's hold ends, or after a delay of the job's own."""

    hold: Hold | None = None
    delay_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PollLater:
    """Back into the queue, no attempt spent; the upstream's response goes on, and the next attempt polls it."""

    hold: Hold


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """The job ends `failed`. `retryable` tells its owner that the same request may succeed another time."""

    code: str
    message: str
    retryable: bool
    hold: Hold | None = None


Decision = RetryIn | Snooze | PollLater | GiveUp


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often the job may be tried. Before the attempt that is judged came `spent` attempts and `snoozes` snoozes."""

    spent: int
    snoozes: int = 0
    max_attempts: int
    on_unknown: str


def decide(problem: Problem, patience: Patience, *, now: float, random: Callable[[], float]) -> Decision:
    """`random` gives numbers from 0 to 1; `now` is in seconds since the epoch."""
    if problem.goes_on:
        return PollLater(hold=holds.of_refusal(problem, now=now, random=random))
    match problem.kind:
        case Kind.RATE | Kind.OVERLOAD | Kind.CONCURRENCY | Kind.ACCOUNT | Kind.ENDPOINT:
            hold = holds.of_refusal(problem, now=now, random=random)
            # What may be billed spends an attempt: a snooze has no bound, and would have it paid again without end.
            return _again(problem, patience, hold, random=random) if problem.may_be_billed else Snooze(hold=hold)
        case Kind.PERMANENT:
            return GiveUp(code=problem.code, message=problem.message, retryable=False)
        case Kind.MEDIA if patience.spent + 1 >= min(MOST_DOWNLOADS, patience.max_attempts):
            return GiveUp(code="failed_to_download", message=problem.message, retryable=True)
        case Kind.WAIT if not problem.may_be_billed:
            return _wait(problem, patience, random=random)
        case Kind.WAIT | Kind.MEDIA:
            return _again(problem, patience, None, random=random)
        case Kind.TRANSIENT:
            return _again(problem, patience, holds.of_fault(problem), random=random)
        case other:
            assert_never(other)


def _wait(problem: Problem, patience: Patience, *, random: Callable[[], float]) -> Decision:
    if patience.snoozes >= MOST_UNREADY_SNOOZES:
        return GiveUp(code=problem.code, message=problem.message, retryable=True)
    return Snooze(delay_seconds=max(UNREADY_SECONDS, problem.retry_after_seconds or 0.0) + random())


def _again(problem: Problem, patience: Patience, hold: Hold | None, *, random: Callable[[], float]) -> Decision:
    if problem.unknown and patience.on_unknown == "fail":
        message = f"{problem.message}; the request had been sent and may have been billed"
        return GiveUp(code="outcome_unknown", message=message, retryable=True, hold=hold)
    spend = _spend(problem, hold)
    if spend == "always" and patience.spent + 1 >= patience.max_attempts:
        return exhausted(problem, hold)
    delay = max(random() * min(LONGEST_SECONDS, FIRST_SECONDS * 2**patience.spent), problem.retry_after_seconds or 0.0)
    return RetryIn(delay_seconds=delay, hold=hold, spend=spend)


def exhausted(problem: Problem, hold: Hold | None = None) -> GiveUp:
    """No attempt is left; where one is spent only while the lane is up, the store says so."""
    return GiveUp(code=problem.code, message=problem.message, retryable=True, hold=hold)


def _spend(problem: Problem, hold: Hold | None) -> Spend:
    down = hold is not None and hold.cut == "endpoint"
    return "unless_down" if down and not problem.may_be_billed else "always"
