"""What befalls a whole lane after a problem or an answer: a pause, and what is cut of it. Values in, values out."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from jobs.runs import Cut
from worker import errors
from worker.outcome import Problem
from worker.rate_headers import Rates
from worker.refusals import Kind
from worker.retry_after import seconds_named_in

ACCOUNT_PAUSE_SECONDS = 30.0
OVERLOAD_PAUSE_SECONDS = 2.0
CONCURRENCY_PAUSE_SECONDS = 0.5
RATE_PAUSE_SECONDS = 1.0
"""Where nothing tells a time. Refusals that follow one another make a lane's pauses longer by themselves."""

USED_UP_PAUSE_SECONDS = 1.0
"""At most, after an answer that left nothing of a limit; as long as one of it takes to come back, if that is told."""

PER_MINUTE = re.compile(r"[RTI](PM|pm)")
OF_TOKENS = re.compile(r"T(PM|pm|PD|pd)|(?i:\btokens? per\b|\btokens?[ _](rate|limit|quota)|_tokens?_per_)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """`told_limit` is what the endpoint said it allows a minute of what is cut, if it said so."""

    pause_seconds: float
    reason: str
    cut: Cut
    told_limit: int | None = None


def of_refusal(problem: Problem, *, now: float, random: Callable[[], float]) -> Hold:
    """The hold of a refusal that is no fault of the job. A pause is never shorter than asked for, and a little longer,
    so that the workers do not all come back at once.
    """
    match problem.kind:
        case Kind.ACCOUNT:
            found = _hold(problem, "account", ACCOUNT_PAUSE_SECONDS)
        case Kind.ENDPOINT:
            found = Hold(pause_seconds=0.0, reason=problem.code, cut="endpoint")
        case Kind.OVERLOAD:
            found = _hold(problem, "width", OVERLOAD_PAUSE_SECONDS)
        case Kind.CONCURRENCY:
            found = _hold(problem, "width", CONCURRENCY_PAUSE_SECONDS)
        case _:
            found = _of_rate(problem, now=now)
    return _spread(found, random())


def of_fault(problem: Problem) -> Hold | None:
    """The hold of a fault that says something of the endpoint: a 5xx, a connection that broke, silence."""
    broke = problem.delivery == "sent" and problem.code in (errors.Cut.code, errors.Stalled.code)
    if not broke and not (problem.delivery == "answered" and (problem.http_status or 0) >= 500):
        return None
    asked = problem.retry_after_seconds if problem.http_status == 503 else None
    return Hold(pause_seconds=asked or 0.0, reason=problem.code, cut="endpoint")


def of_rates(rates: Rates) -> Hold | None:
    """The short pause after a successful answer that says that nothing is left of a limit."""
    for name, rate in (("requests", rates.requests), ("tokens", rates.tokens)):
        if rate.used_up:
            one = USED_UP_PAUSE_SECONDS if rate.reset_seconds is None else rate.reset_seconds / (rate.limit or 1)
            pause = min(one, USED_UP_PAUSE_SECONDS)
            return Hold(pause_seconds=pause, reason=f"rate_limit_{name}", cut="pause")
    return None


def _hold(problem: Problem, cut: Cut, otherwise: float) -> Hold:
    asked = problem.retry_after_seconds
    return Hold(pause_seconds=otherwise if asked is None else asked, reason=problem.code, cut=cut)


def _of_rate(problem: Problem, *, now: float) -> Hold:
    cut: Cut = "tokens" if _of_tokens(problem) else "requests"
    rate = problem.rates.tokens if cut == "tokens" else problem.rates.requests
    told = (problem.retry_after_seconds, seconds_named_in(problem.message, now=now), rate.seconds_of_one)
    pause = next((seconds for seconds in told if seconds is not None), None)
    return Hold(
        pause_seconds=_untold_seconds(problem, now) if pause is None else pause,
        reason=problem.code,
        cut=cut,
        told_limit=rate.per_minute,
    )


def _of_tokens(problem: Problem) -> bool:
    """By the code and the message; where both are silent, by which of the limits the headers show as used up."""
    if OF_TOKENS.search(f"{problem.code} {problem.message}"):
        return True
    silent = not re.search(r"R(PM|pm|PD|pd)|(?i:requests? per)", f"{problem.code} {problem.message}")
    return silent and problem.rates.tokens.used_up and not problem.rates.requests.used_up


def _untold_seconds(problem: Problem, now: float) -> float:
    """A window of a minute ends with the minute at the latest."""
    return min(RATE_PAUSE_SECONDS, 60.0 - now % 60.0) if PER_MINUTE.search(problem.code) else RATE_PAUSE_SECONDS


def _spread(hold: Hold, random: float) -> Hold:
    pause = hold.pause_seconds + 0.2 * random * min(hold.pause_seconds, 5.0)
    return Hold(pause_seconds=pause, reason=hold.reason, cut=hold.cut, told_limit=hold.told_limit)
