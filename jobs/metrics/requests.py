"""What a process of the API counts of its requests, until the store has it with that of all others."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import redis

from jobs import keys, scripts
from jobs.metrics.counters import REQUEST_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One request; `route` and `method` are of small sets. `seconds` passed until the answer's head began."""

    route: str
    method: str
    http_status: int
    seconds: float


class RequestCounts:
    """Any thread may count. What was counted within the second before a kill -9 is lost."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._counts: dict[str, float] = defaultdict(float)
        self._lock = threading.Lock()
        self._flushing = threading.Lock()

    def count(self, answered: Answered) -> None:
        with self._lock:
            for field, by in _changes(answered):
                self._counts[field] += by

    def flush(self) -> None:
        """Adds it to the hash `metrics`.

        Raises StoreUnavailable; all is kept then for the next time, also what Redis may have added before it went.
        """
        with self._flushing:
            with self._lock:
                whole = {field: int(count) for field, count in self._counts.items() if count >= 1}
            with scripts.translated(), self._client.pipeline(transaction=True) as pipeline:
                for field, by in whole.items():
                    pipeline.hincrby(keys.METRICS, field, by)
                pipeline.execute()
            with self._lock:
                for field, by in whole.items():
                    self._counts[field] -= by


def _changes(answered: Answered) -> Iterator[tuple[str, float]]:
    """What the request adds to which field of `metrics`."""
    about = f"{answered.route}\n{answered.method}"
    bound = next((text for text in REQUEST_SECONDS if answered.seconds <= float(text)), "+Inf")
    yield f"requests\n{about}\n{answered.http_status // 100}xx", 1
    yield f"request_bucket\n{bound}\n{about}", 1
    yield f"request_ms\n{about}", answered.seconds * 1000
