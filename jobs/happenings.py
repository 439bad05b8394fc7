"""Hearing that something happened to jobs or deliveries, whichever: one subscription a process, however many listen."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import redis

from jobs import keys

CHANNELS = (keys.ENDED_CHANNEL, keys.WAKE, keys.WAKE_DELIVERIES)
"""What ends is told in any case; what comes where a dispatcher slept for want of work."""
PAUSE_SECONDS = 0.5

log = logging.getLogger(__name__)


class Happenings:
    """Tells listening threads that it is worth looking again."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._listening: set[threading.Event] = set()
        self._lock = threading.Lock()
        self._started = self._subscribed = False
        self.closed = False
        """Whether whoever listens is to end."""

    def close(self) -> None:
        """Wakes all who listen: the process is to stop."""
        self.closed = True
        self._tell()

    @contextmanager
    def heard(self) -> Iterator[Callable[[float], bool]]:
        """Inside, `wait(seconds)` returns True as soon as something has happened, or False when time is up."""
        told = threading.Event()
        with self._lock:
            self._listening.add(told)
            if not self._started:
                self._started = True
                threading.Thread(target=self._listen, name="happenings", daemon=True).start()

        def wait(seconds: float) -> bool:
            came = told.wait(seconds)
            told.clear()
            return came

        try:
            yield wait
        finally:
            with self._lock:
                self._listening.discard(told)

    def _listen(self) -> None:
        pause = threading.Event()
        while not self.closed:
            try:
                self._follow()
            except redis.RedisError as error:
                if self._subscribed:
                    log.warning("the subscription to happenings was lost (%s); subscribing again", error)
            except Exception:
                # Were this thread to end, the console's pages would fall back to looking by the clock alone.
                log.exception("the subscription to happenings failed; subscribing again")
            self._subscribed = False
            pause.wait(PAUSE_SECONDS)

    def _follow(self) -> None:
        """Subscribes and passes on what is told; with each subscription that begins, everybody looks again."""
        with self._client.pubsub() as subscription:
            subscription.subscribe(*CHANNELS)
            while True:
                message = subscription.get_message(timeout=30)
                if message is None:
                    subscription.ping()
                elif message["type"] in ("subscribe", "message"):
                    self._subscribed = True
                    self._tell()

    def _tell(self) -> None:
        with self._lock:
            for told in self._listening:
                told.set()
