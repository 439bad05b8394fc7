"""What follows from an attempt to deliver. Takes values and returns a value; others act on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from jobs.webhooks.deliveries import Verdict
from worker.retry_after import seconds_until
from worker.webhooks.results import Answered, Failed

JITTER = 0.2
LONGEST_WISH_SECONDS = 86400.0
"""What a receiver may ask for at most with Retry-After."""
PAUSE_SECONDS = 5.0
LEAST_PAUSE_SECONDS = 1.0
MOST_PAUSE_SECONDS = 60.0
"""Of an origin, which may have other receivers; the delivery itself waits for as long as it was asked to."""
THROTTLED = (429, 502, 503, 504)


def judge(
    result: Answered | Failed, *, step: int, schedule: Sequence[float], now: float, random: Callable[[], float]
) -> Verdict:
    """The verdict on the attempt before which `step` attempts of `schedule` (seconds before each) were made.

    `random` gives numbers from 0 to 1; `now` is in seconds since the epoch.
    """
    match result:
        case Answered(http_status=status) if 200 <= status < 300:
            return Verdict(status="delivered", origin="up")
        case Answered(http_status=410):
            return Verdict(status="gone", origin="up")
        case Failed(error="blocked_url" | "blocked_address"):
            return Verdict(status="blocked", origin="unmoved")
        case Failed(error="stopping"):
            return Verdict(status="retrying", origin="unmoved", spends=False)
        case Failed(error="too_many_open_files"):
            return Verdict(status="retrying", origin="unmoved", spends=False, delay_seconds=PAUSE_SECONDS)
    wish = _wish(result, now=now)
    origin = _origin(result, wish)
    pause = _pause(wish) if origin == "throttled" else 0.0
    if step + 1 >= len(schedule):
        return Verdict(status="exhausted", origin=origin, pause_seconds=pause)
    delay = max(schedule[step + 1] * (1 + JITTER * (2 * random() - 1)), wish or 0.0)
    return Verdict(status="retrying", origin=origin, delay_seconds=delay, pause_seconds=pause)


def _wish(result: Answered | Failed, *, now: float) -> float | None:
    if isinstance(result, Failed):
        return None
    return seconds_until(result.headers, now=now, most_seconds=LONGEST_WISH_SECONDS)


def _origin(result: Answered | Failed, wish: float | None) -> Literal["up", "fault", "throttled"]:
    if isinstance(result, Failed):
        return "fault"
    status = result.http_status
    if status in THROTTLED or (status >= 500 and wish is not None):
        return "throttled"
    return "fault" if status >= 500 else "up"


def _pause(wish: float | None) -> float:
    return PAUSE_SECONDS if wish is None else min(max(wish, LEAST_PAUSE_SECONDS), MOST_PAUSE_SECONDS)
