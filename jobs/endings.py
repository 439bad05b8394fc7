"""Waiting for jobs to end."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import redis

from jobs import keys
from jobs.subscription import PAUSE_SECONDS, Subscription, waiting


class Endings(Subscription):
    """Tells waiting threads that a job has ended, or that they should look again."""

    told_of = "ended jobs"

    def __init__(self, client: redis.Redis) -> None:
        super().__init__(client)
        self._waiting: dict[str, set[threading.Event]] = defaultdict(set)

    @contextmanager
    def watched(self, number: str) -> Iterator[Callable[[float], bool]]:
        """Inside, `wait(seconds)` returns when it is worth looking again (the job has ended, mostly), or time is up.

        The caller reads the job after the entry, and after each wait, so that no end falls between.
        """
        event = threading.Event()
        with self._lock:
            self._waiting[number].add(event)
            self._start()
        self._live.wait(PAUSE_SECONDS)
        event.clear()  # what ended before this moment the caller reads
        try:
            yield waiting(event)
        finally:
            with self._lock:
                self._waiting[number].discard(event)
                if not self._waiting[number]:
                    del self._waiting[number]

    def _subscribe(self, pubsub: redis.client.PubSub) -> None:
        pubsub.subscribe(keys.ENDED_CHANNEL)

    def _hear(self, kind: str, message: Mapping[str, Any]) -> None:
        """After a subscription was lost, everybody looks again."""
        with self._lock:
            if kind == "subscribe":
                self._wake_all()
            else:
                for event in self._waiting.get(message["data"].decode(), ()):
                    event.set()

    def _wake_all(self) -> None:
        for events in self._waiting.values():
            for event in events:
                event.set()
