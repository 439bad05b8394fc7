"""A bound on calls in any 60 seconds, as an endpoint has one."""

import math
import threading
import time
from collections import deque

from sandbox.errors import Refused

WINDOW_SECONDS = 60.0


class Limiter:
    """Lets in at most `per_minute` calls in any window; None lets in all. Refused calls do not count."""

    def __init__(self, *, per_minute: int | None, window_seconds: float = WINDOW_SECONDS) -> None:
        self._per_minute = per_minute
        self._window_seconds = window_seconds
        self._starts: deque[float] = deque()
        self._lock = threading.Lock()

    def admit(self) -> dict[str, str]:
        """Let one call in; the rate headers of its answer. Raises Refused (429) when the window is full."""
        if self._per_minute is None:
            return {}
        with self._lock:
            now = time.monotonic()
            while self._starts and now - self._starts[0] >= self._window_seconds:
                self._starts.popleft()
            if len(self._starts) >= self._per_minute:
                raise _too_many(self._per_minute, wait_seconds=self._starts[0] + self._window_seconds - now)
            self._starts.append(now)
            return {
                "x-ratelimit-limit-requests": str(self._per_minute),
                "x-ratelimit-remaining-requests": str(self._per_minute - len(self._starts)),
            }


def _too_many(per_minute: int, *, wait_seconds: float) -> Refused:
    return Refused(
        f"More than {per_minute} requests a minute came for this endpoint.",
        status=429,
        code="RateLimitExceeded.EndpointRPMExceeded",
        retry_after_seconds=math.ceil(wait_seconds),
    )
