"""Three ways in which endpoints count what comes, for a rate that may change meanwhile. Times are monotonic seconds."""

import math
from collections import deque
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """`limit` units in `window_seconds`; `held`: how many units a bucket holds."""

    limit: int
    window_seconds: float
    held: int = 10


class Meter(Protocol):
    """Counts units: calls or tokens. It lets in one more while there is any room, so the last may be too much."""

    def add(self, amount: int, *, now: float, rate: Rate) -> None:
        """Count `amount` more."""

    def wait_seconds(self, *, now: float, rate: Rate) -> float:
        """How long until there is room; 0 if there is."""

    def left(self, *, now: float, rate: Rate) -> int:
        """Units that there is room for."""

    def reset_seconds(self, *, now: float, rate: Rate) -> float:
        """How long until it is as if nothing had come."""


class Sliding:
    """Counts what came in the last `window_seconds`."""

    def __init__(self) -> None:
        self._came: deque[tuple[float, int]] = deque()
        self._sum = 0

    def add(self, amount: int, *, now: float, rate: Rate) -> None:
        self._forget(now, rate)
        self._came.append((now, amount))
        self._sum += amount

    def wait_seconds(self, *, now: float, rate: Rate) -> float:
        self._forget(now, rate)
        over = self._sum - rate.limit + 1
        if over <= 0:
            return 0.0
        gone = accumulate(amount for _, amount in self._came)
        first = next(came for (came, _), total in zip(self._came, gone, strict=True) if total >= over)
        return first + rate.window_seconds - now

    def left(self, *, now: float, rate: Rate) -> int:
        self._forget(now, rate)
        return max(0, rate.limit - self._sum)

    def reset_seconds(self, *, now: float, rate: Rate) -> float:
        self._forget(now, rate)
        return self._came[-1][0] + rate.window_seconds - now if self._came else 0.0

    def _forget(self, now: float, rate: Rate) -> None:
        while self._came and now - self._came[0][0] >= rate.window_seconds:
            self._sum -= self._came.popleft()[1]


class Fixed:
    """Counts from nothing in each window; the first begins with the first call."""

    def __init__(self) -> None:
        self._begins: float | None = None
        self._sum = 0

    def add(self, amount: int, *, now: float, rate: Rate) -> None:
        self._turn(now, rate)
        self._sum += amount

    def wait_seconds(self, *, now: float, rate: Rate) -> float:
        return self._turn(now, rate) + rate.window_seconds - now if self._is_full(now, rate) else 0.0

    def left(self, *, now: float, rate: Rate) -> int:
        self._turn(now, rate)
        return max(0, rate.limit - self._sum)

    def reset_seconds(self, *, now: float, rate: Rate) -> float:
        begins = self._turn(now, rate)
        return begins + rate.window_seconds - now if self._sum else 0.0

    def _is_full(self, now: float, rate: Rate) -> bool:
        self._turn(now, rate)
        return self._sum >= rate.limit

    def _turn(self, now: float, rate: Rate) -> float:
        """When the window of `now` began."""
        if self._begins is None:
            self._begins = now
        windows = math.floor((now - self._begins) / rate.window_seconds)
        if windows >= 1:
            self._begins += windows * rate.window_seconds
            self._sum = 0
        return self._begins


class Bucket:
    """Holds `held` units, each call takes one, and `limit` a window flow back evenly."""

    def __init__(self) -> None:
        self._level: float | None = None
        self._at = 0.0

    def add(self, amount: int, *, now: float, rate: Rate) -> None:
        self._level = self._fill(now, rate) - amount

    def wait_seconds(self, *, now: float, rate: Rate) -> float:
        return max(0.0, (1 - self._fill(now, rate)) * rate.window_seconds / rate.limit)

    def left(self, *, now: float, rate: Rate) -> int:
        return max(0, math.floor(self._fill(now, rate)))

    def reset_seconds(self, *, now: float, rate: Rate) -> float:
        return (rate.held - self._fill(now, rate)) * rate.window_seconds / rate.limit

    def _fill(self, now: float, rate: Rate) -> float:
        """What it holds now."""
        flowed = (now - self._at) * rate.limit / rate.window_seconds
        self._level = float(rate.held) if self._level is None else min(rate.held, self._level + flowed)
        self._at = now
        return self._level


def new_meter(limiter: str) -> Meter:
    """A meter that has counted nothing; `limiter` is one of limits.LIMITERS."""
    match limiter:
        case "fixed":
            return Fixed()
        case "bucket":
            return Bucket()
        case _:
            return Sliding()
