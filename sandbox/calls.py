"""What calls came: the latest with their times, and how often each Idempotency-Key was seen."""

import threading
import time
from collections import OrderedDict, deque
from dataclasses import asdict, dataclass
from typing import Any

KEYS_MAX = 200_000


@dataclass(slots=True, kw_only=True)
class Call:
    """One call, filled in while it runs. Times are Unix seconds; `in_flight` counts calls at its start, it included.

    `status` is None when no answer was sent; `client_left`: the caller closed the connection before its end.
    """

    request_id: str
    idempotency_key: str | None
    started_at: float
    in_flight: int
    ended_at: float | None = None
    model: str | None = None
    stream: bool | None = None
    body_keys: tuple[str, ...] = ()
    body_bytes: int = 0
    fault: str = ""
    is_fault_applied: bool = False
    status: int | None = None
    client_left: bool = False


class Counter:
    """Counts by key; beyond `keys_max` keys the one that was not counted for longest is forgotten."""

    def __init__(self, *, keys_max: int = KEYS_MAX) -> None:
        self._keys_max = keys_max
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, key: str) -> int:
        """Count one more of `key`; how many there are now."""
        with self._lock:
            count = self._counts.pop(key, 0) + 1
            self._counts[key] = count
            if len(self._counts) > self._keys_max:
                self._counts.popitem(last=False)
            return count

    def at_least(self, count: int) -> dict[str, int]:
        """The keys counted that often or more."""
        with self._lock:
            return {key: seen for key, seen in self._counts.items() if seen >= count}

    def clear(self) -> None:
        with self._lock:
            self._counts.clear()


class CallLog:
    """The calls of one sandbox. Safe under threads and greenlets."""

    def __init__(self, *, kept: int) -> None:
        self._lock = threading.Lock()
        self._calls: deque[Call] = deque(maxlen=kept)
        self._total = 0
        self._in_flight = 0
        self._in_flight_max = 0
        self.keys = Counter()

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

    def seen(self, *, limit: int | None = None) -> dict[str, Any]:
        """The latest calls, oldest first, with totals since the last clear."""
        with self._lock:
            calls = list(self._calls)
            skipped = 0 if limit is None else max(0, len(calls) - max(0, limit))
            return {
                "object": "list",
                "total": self._total,
                "in_flight": self._in_flight,
                "in_flight_max": self._in_flight_max,
                "data": [asdict(call) for call in calls[skipped:]],
            }

    def clear(self) -> None:
        """Forget all calls that are over or not, but not how many are in flight."""
        self.keys.clear()
        with self._lock:
            self._calls.clear()
            self._total = 0
            self._in_flight_max = self._in_flight
