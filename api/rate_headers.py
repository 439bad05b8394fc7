"""What the answer to a submit says of its project's limits, in the headers that clients read."""

from __future__ import annotations

import math
from collections.abc import Iterator

from jobs.headroom import Headroom, Room

WINDOW_SECONDS = 60
SHOULD_RETRY_SECONDS = 60
"""SDKs that would retry by themselves are told not to where they would wait for longer."""


def rate_headers(headroom: Headroom) -> dict[str, str]:
    """A header for each thing that is limited; none where nothing is."""
    headers = dict(_told(headroom.requests, "requests")) | dict(_told(headroom.tokens, "tokens"))
    if headroom.requests is not None:
        room = headroom.requests
        headers["RateLimit-Policy"] = f'"requests";q={room.limit};w={WINDOW_SECONDS}'
        headers["RateLimit"] = f'"requests";r={room.remaining};t={math.ceil(room.reset_seconds)}'
    return headers


def retry_headers(seconds: float) -> dict[str, str]:
    """When to try again; `x-should-retry: false` if that is far off."""
    whole = max(1, math.ceil(seconds))
    return {"Retry-After": str(whole)} | ({"x-should-retry": "false"} if whole > SHOULD_RETRY_SECONDS else {})


def duration(seconds: float) -> str:
    """Such as `12ms`, `1s`, `6m0s` or `24h0m0s`: rounded up, so that nobody comes too early."""
    if seconds < 1:
        return f"{math.ceil(max(0.0, seconds) * 1000)}ms"
    minutes, rest = divmod(math.ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + f"{rest}s"


def _told(room: Room | None, name: str) -> Iterator[tuple[str, str]]:
    if room is not None:
        yield f"x-ratelimit-limit-{name}", str(room.limit)
        yield f"x-ratelimit-remaining-{name}", str(room.remaining)
        yield f"x-ratelimit-reset-{name}", duration(room.reset_seconds)
