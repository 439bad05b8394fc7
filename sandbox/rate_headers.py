"""The headers by which an endpoint tells how much of its limits is left."""

import math

from sandbox.meters import Meter, Rate


def rate_headers(kind: str, meter: Meter, *, now: float, rate: Rate) -> dict[str, str]:
    """`x-ratelimit-…-KIND`: the limit, what is left of it, and the time until all of it is there again."""
    return {
        f"x-ratelimit-limit-{kind}": str(rate.limit),
        f"x-ratelimit-remaining-{kind}": str(meter.left(now=now, rate=rate)),
        f"x-ratelimit-reset-{kind}": duration(meter.reset_seconds(now=now, rate=rate)),
    }


def duration(seconds: float) -> str:
    """Seconds as such headers write them, rounded up to a millisecond: `12ms`, `1s`, `1.5s`, `6m0s`, `1h0m0s`."""
    milliseconds = math.ceil(round(seconds * 1_000, 3))
    if milliseconds < 1_000:
        return f"{milliseconds}ms"
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    words = f"{rest / 1_000:.3f}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{hours}h{minutes}m{words}"
    return f"{minutes}m{words}" if minutes else words
