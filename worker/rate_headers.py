"""Reading what an endpoint says of its own limits: the `x-ratelimit-…` headers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from worker.durations import seconds_in

MOST = 10**12
_COUNT = re.compile(r"\s*(\d{1,13})(?:\.0*)?\s*(?:[,;].*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """One limit: how much it allows, how much of that is left, and when it is whole again. None: not told."""

    limit: int | None = None
    remaining: int | None = None
    reset_seconds: float | None = None

    @property
    def used_up(self) -> bool:
        """A limit of 0 is no limit that anything could be sent under, so nothing is read from it."""
        return self.remaining == 0 and self.limit != 0

    @property
    def per_minute(self) -> int | None:
        """What the limit comes to in a minute. Nobody says what time a limit is for: it is taken for a minute, or for
        longer where it is used up and all of it comes back later than that."""
        if not self.limit:
            return None
        seconds = max(60.0, self.reset_seconds or 0.0) if self.used_up else 60.0
        return max(1, round(self.limit * 60 / seconds))

    @property
    def seconds_of_one(self) -> float | None:
        """Until the first of it is back, if it comes back bit by bit; at least a second."""
        if not self.limit or self.reset_seconds is None:
            return None
        return max(1.0, self.reset_seconds / self.limit)


UNTOLD = Rate()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    requests: Rate = UNTOLD
    tokens: Rate = UNTOLD


NOT_TOLD = Rates()


def read_rates(headers: Mapping[str, str], *, now: float) -> Rates:
    """The limits that an answer's headers tell; `headers` finds names in any case."""
    return Rates(requests=_rate(headers, "requests", now=now), tokens=_rate(headers, "tokens", now=now))


def _rate(headers: Mapping[str, str], kind: str, *, now: float) -> Rate:
    limit, remaining, reset = (headers.get(f"x-ratelimit-{what}-{kind}") for what in ("limit", "remaining", "reset"))
    if not (limit or remaining or reset):
        return UNTOLD
    return Rate(limit=_count(limit), remaining=_count(remaining), reset_seconds=seconds_in(reset or "", now=now))


def _count(text: str | None) -> int | None:
    found = _COUNT.fullmatch(text or "", 0, 100)
    return min(int(found[1]), MOST) if found else None
