"""What calls came: the latest with their times, and how often each Idempotency-Key was seen."""

import threading
import time
from collections import deque
from dataclasses import dataclass, fields
from itertools import islice
from typing import Any

from sandbox.counter import Counter


@dataclass(slots=True, kw_only=True)
class Call:
    """One call, filled in while it runs. Times are Unix seconds; `in_flight` counts calls at its start, it included.

    `api_key_end`: the last characters of the caller's key. `is_admitted`: no limit and no outage kept it out.
    `background`: its work goes on without the connection, and `ended_at` is the end of that work.
    `status`: HTTP status, None when no answer was sent; `client_left`: the caller closed the connection before its end.
    `response_status`: how the Response ended; `total_tokens`: what its usage counts.
    `polls`, `cancels`: how often the response was asked for, and asked to be cancelled, by its id.
    """

    request_id: str
    idempotency_key: str | None
    started_at: float
    in_flight: int
    ended_at: float | None = None
    api_key_end: str | None = None
    is_admitted: bool = False
    model: str | None = None
    stream: bool | None = None
    body_keys: tuple[str, ...] = ()
    body_bytes: int = 0
    fault: str = ""
    is_fault_applied: bool = False
    status: int | None = None
    client_left: bool = False
    background: bool = False
    response_id: str | None = None
    response_status: str | None = None
    total_tokens: int | None = None
    polls: int = 0
    cancels: int = 0


_FIELDS = tuple(field.name for field in fields(Call))


class CallLog:
    """The calls of one sandbox. Safe under threads and greenlets."""

    def __init__(self, *, kept: int) -> None:
        self._lock = threading.Lock()
        self._calls: deque[Call] = deque(maxlen=kept)
        self._total = 0
        self._in_flight = 0
        self._in_flight_max = 0
        self._polls = 0
        self._cancels = 0
        self.keys = Counter()
        self.refusals = Counter()

    def begin(self, *, request_id: str, idempotency_key: str | None) -> Call:
        """A call came in."""
        if idempotency_key is not None:
            self.keys.add(idempotency_key)
        with self._lock:
            self._total += 1
            self._in_flight += 1
            self._in_flight_max = max(self._in_flight_max, self._in_flight)
            call = Call(
                request_id=request_id,
                idempotency_key=idempotency_key,
                started_at=time.time(),
                in_flight=self._in_flight,
            )
            self._calls.append(call)
        return call

    def end(self, call: Call) -> None:
        """A call is over, whichever way."""
        with self._lock:
            self._in_flight -= 1
            call.ended_at = time.time()

    def note_poll(self, call: Call | None) -> None:
        """A response was asked for by its id: that of `call`, or one that is not known."""
        with self._lock:
            self._polls += 1
            if call is not None:
                call.polls += 1

    def note_cancel(self, call: Call | None) -> None:
        """A response was to be cancelled by its id: that of `call`, or one that is not known."""
        with self._lock:
            self._cancels += 1
            if call is not None:
                call.cancels += 1

    def seen(self, *, limit: int | None = None) -> dict[str, Any]:
        """The latest calls, oldest first, with totals since the last clear."""
        with self._lock:
            skipped = 0 if limit is None else max(0, len(self._calls) - max(0, limit))
            calls = list(islice(self._calls, skipped, None))
            seen: dict[str, Any] = {
                "object": "list",
                "total": self._total,
                "in_flight": self._in_flight,
                "in_flight_max": self._in_flight_max,
                "polls": self._polls,
                "cancels": self._cancels,
            }
        seen["refusals"] = self.refusals.at_least(1)
        # asdict would take half a second for 20,000 calls, in which nobody else is served.
        seen["data"] = [{name: getattr(call, name) for name in _FIELDS} for call in calls]
        return seen

    def clear(self) -> None:
        """Forget all calls that are over or not, but not how many are in flight."""
        self.keys.clear()
        self.refusals.clear()
        with self._lock:
            self._calls.clear()
            self._total = self._polls = self._cancels = 0
            self._in_flight_max = self._in_flight
