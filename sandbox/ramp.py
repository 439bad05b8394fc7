"""A bound on how fast the number of calls in flight may grow."""

from collections import deque

from sandbox.limits import Limits
from sandbox.meters import Rate, Sliding


class Ramp:
    """Counts growth: a call that lifts the calls in flight above the most there were in the last window.

    So calls that end together may be followed at once by as many others. Times are monotonic seconds.
    """

    def __init__(self) -> None:
        self._growth = Sliding()
        self._heights: deque[tuple[float, int]] = deque()  # when a height was left, and it; heights fall

    def wait_seconds(self, *, now: float, in_flight: int, limits: Limits) -> float:
        """How long until one more than `in_flight` may be in flight; 0 if it may now."""
        if limits.ramp_per_second is None or not self._is_growth(now, in_flight, limits):
            return 0.0
        return self._growth.wait_seconds(now=now, rate=_rate(limits.ramp_per_second))

    def rise(self, *, now: float, in_flight: int, limits: Limits) -> None:
        """One more than `in_flight` is in flight now."""
        if limits.ramp_per_second is not None and self._is_growth(now, in_flight, limits):
            self._growth.add(1, now=now, rate=_rate(limits.ramp_per_second))

    def fall(self, *, now: float, in_flight: int) -> None:
        """One of `in_flight` is over."""
        while self._heights and self._heights[-1][1] <= in_flight:
            self._heights.pop()
        self._heights.append((now, in_flight))

    def _is_growth(self, now: float, in_flight: int, limits: Limits) -> bool:
        while self._heights and now - self._heights[0][0] >= limits.window_seconds:
            self._heights.popleft()
        return not self._heights or in_flight >= self._heights[0][1]


def _rate(per_second: float) -> Rate:
    """Whole calls in a time, for a number of calls a second that may be broken: 0.5 is one in 2 s."""
    calls = max(1, int(per_second))
    return Rate(limit=calls, window_seconds=calls / per_second)
