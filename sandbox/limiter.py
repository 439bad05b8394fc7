"""Who is let in: bounds on calls and tokens a minute, on calls in flight and on how fast those grow."""

import math
import threading
import time
from collections.abc import Mapping
from typing import Any

from sandbox.errors import Refused
from sandbox.limits import COUNT_MAX, Limits, changed
from sandbox.meters import Rate, Sliding, new_meter
from sandbox.ramp import Ramp
from sandbox.rate_headers import rate_headers

SLOT_WAIT_SECONDS = 1.0  # nobody knows when a call in flight ends


class Limiter:
    """Lets calls in as `limits` says, which may be changed meanwhile. Refused calls do not count."""

    def __init__(self, *, limits: Limits) -> None:
        self._limits = limits
        self._requests = new_meter(limits.limiter)
        self._tokens = Sliding()
        self._ramp = Ramp()
        self._in_flight = 0
        self._lock = threading.Lock()

    @property
    def limits(self) -> Limits:
        return self._limits

    def change(self, values: Mapping[str, Any]) -> Limits:
        """Set those limits that are named; what has come so far still counts. Raises Refused (400)."""
        with self._lock:
            new = changed(self._limits, values)
            if new.limiter != self._limits.limiter:
                self._requests = new_meter(new.limiter)
            self._limits = new
            return new

    def admit(self) -> None:
        """Let one call in, to be given back by `release`. Raises Refused (429) where a limit is reached."""
        with self._lock:
            now = time.monotonic()
            self._check_rates(now)
            self._check_flight(now)
            self._requests.add(1, now=now, rate=self._rate(self._limits.requests_per_minute))
            self._ramp.rise(now=now, in_flight=self._in_flight, limits=self._limits)
            self._in_flight += 1

    def release(self) -> None:
        """A call that was let in is over."""
        with self._lock:
            self._ramp.fall(now=time.monotonic(), in_flight=self._in_flight)
            self._in_flight -= 1

    def spend(self, tokens: int) -> None:
        """Count the tokens of an answer."""
        with self._lock:
            self._tokens.add(tokens, now=time.monotonic(), rate=self._rate(self._limits.tokens_per_minute))

    def headers(self, *, status: int) -> dict[str, str]:
        """The rate headers of an answer with that HTTP status."""
        limits = self._limits
        if status == 429 and limits.retry_after == "no":
            return {}
        told: dict[str, str] = {}
        with self._lock:
            now = time.monotonic()
            if limits.requests_per_minute is not None:
                rate = self._rate(limits.requests_per_minute)
                told |= rate_headers("requests", self._requests, now=now, rate=rate)
            if limits.tokens_per_minute is not None:
                rate = self._rate(limits.tokens_per_minute)
                told |= rate_headers("tokens", self._tokens, now=now, rate=rate)
        return told

    def _check_rates(self, now: float) -> None:
        requests, tokens = self._limits.requests_per_minute, self._limits.tokens_per_minute
        if requests is not None:
            wait = self._requests.wait_seconds(now=now, rate=self._rate(requests))
            self._refuse(wait, "RateLimitExceeded.EndpointRPMExceeded", f"More than {requests} requests a minute came")
        if tokens is not None:
            wait = self._tokens.wait_seconds(now=now, rate=self._rate(tokens))
            self._refuse(wait, "RateLimitExceeded.EndpointTPMExceeded", f"{tokens} tokens a minute were spent")

    def _check_flight(self, now: float) -> None:
        most = self._limits.in_flight
        if most is not None and self._in_flight >= most:
            self._refuse(SLOT_WAIT_SECONDS, "InflightBatchsizeExceeded", f"{most} requests are in flight")
        wait = self._ramp.wait_seconds(now=now, in_flight=self._in_flight, limits=self._limits)
        self._refuse(wait, "RequestBurstTooFast", "The requests in flight grow too fast")

    def _refuse(self, wait_seconds: float, code: str, reason: str) -> None:
        """Raise Refused if there is anything to wait for."""
        if wait_seconds <= 0:
            return
        told = max(1, math.ceil(wait_seconds)) if self._limits.retry_after == "yes" else None
        raise Refused(f"{reason} for this endpoint.", status=429, code=code, retry_after_seconds=told)

    def _rate(self, limit: int | None) -> Rate:
        """The rate as it is set now. What comes without a limit is counted too, for a limit that is set later."""
        limits = self._limits
        return Rate(limit=limit or COUNT_MAX, window_seconds=limits.window_seconds, held=limits.bucket)
