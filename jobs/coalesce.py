"""Many threads' script calls in one round trip: what falls together is sent together."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import redis

from jobs import scripts
from jobs.errors import StoreUnavailable


class Coalescer:
    """Runs calls for many threads over one connection.

    While a round trip is under way the next calls gather, so there is no delay to tune. When Redis is away, calls
    wait for it (their scripts are harmless twice).
    """

    def __init__(self, client: redis.Redis, *, most: int = 256) -> None:
        self._client = client
        self._most = most
        self._calls: queue.SimpleQueue[tuple[scripts.Call, Future[Any]] | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._entrance = threading.Lock()
        self._thread = threading.Thread(target=self._loop, name="coalescer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def run(self, call: scripts.Call) -> Any:
        """The script's answer. Raises StoreUnavailable only after `close`, or if that comes while Redis is away."""
        future: Future[Any] = Future()
        with self._entrance:
            if self._closing.is_set():
                raise StoreUnavailable("this process has stopped writing")
            self._calls.put((call, future))
        return future.result()

    def close(self) -> None:
        """Ends after what was asked for is done, or tried once more if Redis is away."""
        with self._entrance:
            self._closing.set()
            self._calls.put(None)
        self._thread.join()

    def _loop(self) -> None:
        while True:
            first = self._calls.get()
            if first is None:
                return
            batch = [first]
            while len(batch) < self._most and not self._calls.empty():
                item = self._calls.get()
                if item is None:
                    self._calls.put(None)
                    break
                batch.append(item)
            self._settle(batch)

    def _settle(self, batch: list[tuple[scripts.Call, Future[Any]]]) -> None:
        try:
            answers = self._patiently(lambda: scripts.run_all(self._client, [call for call, _ in batch]))
        except Exception as error:  # noqa: BLE001 - whoever asked hears of it; this thread serves the others
            for _, future in batch:
                future.set_exception(error)
            return
        for (_, future), answer in zip(batch, answers, strict=True):
            if isinstance(answer, redis.RedisError):
                future.set_exception(answer)
            else:
                future.set_result(answer)

    def _patiently(self, send: Callable[[], list[Any]]) -> list[Any]:
        pause = 0.05
        while True:
            closing = self._closing.is_set()
            try:
                return send()
            except StoreUnavailable:
                if closing:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, 1.0)
