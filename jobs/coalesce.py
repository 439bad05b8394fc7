"""Many threads' script calls in one round trip: what falls together is sent together."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Any

import redis

from jobs import scripts
from jobs.errors import StoreError, StoreUnavailable

BATCH_BYTES = 4 * 1024 * 1024


class _Asked:
    """A call whose words are bytes, and the one thread that waits for its answer."""

    __slots__ = ("_answer", "_told", "call", "size_bytes")

    def __init__(self, call: scripts.Call) -> None:
        self.call = call
        self.size_bytes = sum(len(word) for word in call.args if isinstance(word, bytes))
        self._answer: Any = None
        self._told = threading.Lock()
        self._told.acquire()

    def tell(self, answer: Any) -> None:
        """Once; an exception is raised where the answer is waited for."""
        self._answer = answer
        self._told.release()

    def wait(self) -> Any:
        """Once."""
        self._told.acquire()
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


class Coalescer:
    """Runs calls for many threads over one connection.

    While a round trip is under way the next calls gather, so there is no delay to tune. One round trip carries at
    most `most` calls and `most_bytes` of arguments; a larger call goes alone. When Redis is away, calls wait for it
    (their scripts are harmless twice).
    """

    def __init__(self, client: redis.Redis, *, most: int = 256, most_bytes: int = BATCH_BYTES) -> None:
        self._client = client
        self._most = most
        self._most_bytes = most_bytes
        self._calls: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._entrance = threading.Lock()
        self._thread = threading.Thread(target=self._loop, name="coalescer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def run(self, call: scripts.Call) -> Any:
        """The script's answer. Raises StoreUnavailable only after `close`, or if that comes while Redis is away.

        Raises UnicodeEncodeError or TypeError for words that cannot be sent; the calls of others do not suffer.
        """
        asked = _Asked(call.encoded())
        with self._entrance:
            if self._closing.is_set():
                raise StoreUnavailable("this process has stopped writing")
            self._calls.put(asked)
        return asked.wait()

    def close(self) -> None:
        """Ends after what was asked for is done, or tried once more if Redis is away."""
        with self._entrance:
            self._closing.set()
            self._calls.put(None)
        self._thread.join()

    def _loop(self) -> None:
        following: _Asked | None = None
        while asked := following or self._calls.get():
            batch, following = self._gather(asked)
            self._settle(batch)

    def _gather(self, first: _Asked) -> tuple[list[_Asked], _Asked | None]:
        """What goes together with `first`, and the call that did not fit in any more."""
        batch, size = [first], first.size_bytes
        while len(batch) < self._most and not self._calls.empty():
            asked = self._calls.get()
            if asked is None:
                self._calls.put(None)
                break
            size += asked.size_bytes
            if size > self._most_bytes:
                return batch, asked
            batch.append(asked)
        return batch, None

    def _settle(self, batch: list[_Asked]) -> None:
        try:
            answers = self._patiently(lambda: scripts.run_all(self._client, [asked.call for asked in batch]))
        except (StoreError, redis.RedisError) as error:
            for asked in batch:
                asked.tell(error)
            return
        for asked, answer in zip(batch, answers, strict=True):
            asked.tell(answer)

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
