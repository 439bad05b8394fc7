"""What to do about a problem. Takes values and returns values; others act on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from jobs.runs import Cut
from worker.outcome import Problem
from worker.refusals import Kind
from worker.retry_after import seconds_to_moment_in

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 60.0
MOST_DOWNLOADS = 3
UNREADY_SECONDS = 5.0
MOST_UNREADY_SNOOZES = 100
"""With the jitter, about ten minutes for what the upstream still works on."""

LEAST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 60.0
ACCOUNT_PAUSE_SECONDS = 30.0
ENDPOINT_PAUSE_SECONDS = 2.0
OVERLOAD_PAUSE_SECONDS = 2.0
CONCURRENCY_PAUSE_SECONDS = 0.5
RATE_PAUSE_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What befalls the whole lane: a pause, and what to cut of it."""

    pause_seconds: float
    reason: str
    cut: Cut


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryIn:
    """Back into the queue, an attempt spent."""

    delay_seconds: float
    hold: Hold | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snooze:
    """Back into the queue, no attempt spent: as soon as the lane's hold ends, or after a delay of the job's own."""

    hold: Hold | None = None
    delay_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """The job ends `failed`. `retryable` tells its owner that the same request may succeed another time."""

    code: str
    message: str
    retryable: bool


Decision = RetryIn | Snooze | GiveUp


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often the job may be tried. Before the attempt that is judged came `spent` attempts and `snoozes` snoozes."""

    spent: int
    snoozes: int = 0
    max_attempts: int
    on_unknown: str


def decide(problem: Problem, patience: Patience, *, now: float, random: Callable[[], float]) -> Decision:
    """`random` gives numbers from 0 to 1; `now` is in seconds since the epoch."""
    match problem.kind:
        case Kind.RATE | Kind.OVERLOAD | Kind.CONCURRENCY | Kind.ACCOUNT | Kind.ENDPOINT:
            hold = _hold(problem, patience, now=now, random=random)
            # What may be billed spends an attempt: a snooze has no bound, and would have it paid again without end.
            return _again(problem, patience, hold, random=random) if problem.may_be_billed else Snooze(hold=hold)
        case Kind.PERMANENT:
            return GiveUp(code=problem.code, message=problem.message, retryable=False)
        case Kind.MEDIA if patience.spent + 1 >= min(MOST_DOWNLOADS, patience.max_attempts):
            return GiveUp(code="failed_to_download", message=problem.message, retryable=True)
        case Kind.WAIT if not problem.may_be_billed:
            return _wait(problem, patience, random=random)
        case Kind.WAIT | Kind.MEDIA | Kind.TRANSIENT:
            return _again(problem, patience, _hold_asked_for(problem), random=random)
        case other:
            assert_never(other)


def _wait(problem: Problem, patience: Patience, *, random: Callable[[], float]) -> Decision:
    if patience.snoozes >= MOST_UNREADY_SNOOZES:
        return GiveUp(code=problem.code, message=problem.message, retryable=True)
    return Snooze(delay_seconds=max(UNREADY_SECONDS, problem.retry_after_seconds or 0.0) + random())


def _again(problem: Problem, patience: Patience, hold: Hold | None, *, random: Callable[[], float]) -> Decision:
    if problem.unknown and patience.on_unknown == "fail":
        message = f"{problem.message}; the request had been sent and may have been billed"
        return GiveUp(code="outcome_unknown", message=message, retryable=True)
    if patience.spent + 1 >= patience.max_attempts:
        return GiveUp(code=problem.code, message=problem.message, retryable=True)
    delay = random() * min(LONGEST_SECONDS, FIRST_SECONDS * 2**patience.spent)
    return RetryIn(delay_seconds=max(delay, problem.retry_after_seconds or 0.0), hold=hold)


def _hold_asked_for(problem: Problem) -> Hold | None:
    if problem.http_status != 503 or problem.retry_after_seconds is None:
        return None
    return Hold(pause_seconds=problem.retry_after_seconds, reason=problem.code, cut="rate")


def _hold(problem: Problem, patience: Patience, *, now: float, random: Callable[[], float]) -> Hold:
    pause, cut = _measure(problem, now=now)
    if problem.retry_after_seconds is not None:
        pause = problem.retry_after_seconds
    pause = max(pause, _least_pause(problem, patience))
    return Hold(pause_seconds=pause + 0.2 * random() * min(pause, 5.0), reason=problem.code, cut=cut)


def _least_pause(problem: Problem, patience: Patience) -> float:
    """An upstream that asks for no pause, or for too short a one again and again, gets a longer one each time."""
    if problem.kind in (Kind.ACCOUNT, Kind.ENDPOINT):
        return LEAST_PAUSE_SECONDS
    return min(LONGEST_PAUSE_SECONDS, LEAST_PAUSE_SECONDS * 2.0 ** min(patience.snoozes, 7))


def _measure(problem: Problem, *, now: float) -> tuple[float, Cut]:
    match problem.kind:
        case Kind.ACCOUNT:
            return ACCOUNT_PAUSE_SECONDS, "account"
        case Kind.ENDPOINT:
            return ENDPOINT_PAUSE_SECONDS, "account"
        case Kind.OVERLOAD:
            return OVERLOAD_PAUSE_SECONDS, "width"
        case Kind.CONCURRENCY:
            return CONCURRENCY_PAUSE_SECONDS, "width"
        case _:
            return _rate_pause(problem, now), "rate"


def _rate_pause(problem: Problem, now: float) -> float:
    """Until the moment the message names, or the next minute where the code tells of a window a minute long."""
    named = seconds_to_moment_in(problem.message, now=now)
    if named is not None:
        return named
    per_minute = any(sign in problem.code for sign in ("RPM", "TPM", "Rpm", "Tpm", "Ipm"))
    return 60.0 - now % 60.0 if per_minute else RATE_PAUSE_SECONDS
