"""Hearing that something happened to jobs or deliveries, whichever."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import redis

from jobs import keys
from jobs.subscription import Subscription, waiting

CHANNELS = (keys.ENDED_CHANNEL, keys.WAKE, keys.WAKE_DELIVERIES)
"""What ends is told in any case; what comes where a dispatcher slept for want of work."""


class Happenings(Subscription):
    """Tells listening threads that it is worth looking again, also with each subscription that begins."""

    told_of = "happenings"

    def __init__(self, client: redis.Redis) -> None:
        super().__init__(client)
        self._listening: set[threading.Event] = set()

    @contextmanager
    def heard(self) -> Iterator[Callable[[float], bool]]:
        """Inside, `wait(seconds)` returns True as soon as something has happened, or False when time is up."""
        told = threading.Event()
        with self._lock:
            self._listening.add(told)
            self._start()
        try:
            yield waiting(told)
        finally:
            with self._lock:
                self._listening.discard(told)

    def _subscribe(self, pubsub: redis.client.PubSub) -> None:
        pubsub.subscribe(*CHANNELS)

    def _hear(self, kind: str, message: Mapping[str, Any]) -> None:
        with self._lock:
            self._wake_all()

    def _wake_all(self) -> None:
        for told in self._listening:
            told.set()
