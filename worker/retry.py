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
    """Back into the queue, no attempt spent."""

    hold: Hold


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """The job ends `failed`. `retryable` tells its owner that the same request may succeed another time."""

    code: str
    message: str
    retryable: bool


Decision = RetryIn | Snooze | GiveUp


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often the job may be tried: `spent` attempts came before the one that is judged."""

    spent: int
    max_attempts: int
    on_unknown: str


def decide(problem: Problem, patience: Patience, *, now: float, random: Callable[[], float]) -> Decision:
    """`random` gives numbers from 0 to 1; `now` is in seconds since the epoch."""
    match problem.kind:
        case Kind.RATE | Kind.OVERLOAD | Kind.CONCURRENCY | Kind.ACCOUNT | Kind.ENDPOINT:
            return Snooze(hold=_hold(problem, now=now, random=random))
        case Kind.PERMANENT:
            return GiveUp(code=problem.code, message=problem.message, retryable=False)
        case Kind.MEDIA if patience.spent + 1 >= min(MOST_DOWNLOADS, patience.max_attempts):
            return GiveUp(code="failed_to_download", message=problem.message, retryable=True)
        case Kind.WAIT | Kind.MEDIA | Kind.TRANSIENT:
            return _again(problem, patience, random=random)
        case other:
            assert_never(other)


def _again(problem: Problem, patience: Patience, *, random: Callable[[], float]) -> Decision:
    if problem.unknown and patience.on_unknown == "fail":
        message = f"{problem.message}; the request had been sent and may have been billed"
        return GiveUp(code="outcome_unknown", message=message, retryable=True)
    if patience.spent + 1 >= patience.max_attempts:
        return GiveUp(code=problem.code, message=problem.message, retryable=True)
    delay = random() * min(LONGEST_SECONDS, FIRST_SECONDS * 2**patience.spent)
    if problem.kind is Kind.WAIT:
        delay += UNREADY_SECONDS
    asked = problem.retry_after_seconds
    if asked is None:
        return RetryIn(delay_seconds=delay)
    hold = Hold(pause_seconds=asked, reason=problem.code, cut="rate") if problem.http_status == 503 else None
    return RetryIn(delay_seconds=max(delay, asked), hold=hold)


def _hold(problem: Problem, *, now: float, random: Callable[[], float]) -> Hold:
    pause, cut = _measure(problem, now=now)
    if problem.retry_after_seconds is not None:
        pause = problem.retry_after_seconds
    return Hold(pause_seconds=pause + 0.2 * random() * min(pause, 5.0), reason=problem.code, cut=cut)


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
