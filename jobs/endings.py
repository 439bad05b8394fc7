"""Waiting for jobs to end: one subscription a process, however many wait."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import redis

from jobs import keys

PAUSE_SECONDS = 0.5

log = logging.getLogger(__name__)


class Endings:
    """Tells waiting threads that a job has ended, or that they should look again."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._waiting: dict[str, set[threading.Event]] = defaultdict(set)
        self._lock = threading.Lock()
        self._subscribed = threading.Event()
        self._started = False
        self.closed = False

    def close(self) -> None:
        """Has everybody look again, now, and know that nobody should wait any longer."""
        self.closed = True
        self._wake_all()

    @contextmanager
    def watched(self, number: str) -> Iterator[Callable[[float], bool]]:
        """Inside, `wait(seconds)` returns when it is worth looking again (the job has ended, mostly), or time is up.

        The caller reads the job after the entry, and after each wait, so that no end falls between.
        """
        event = threading.Event()
        with self._lock:
            self._waiting[number].add(event)
            self._start()
        self._subscribed.wait(PAUSE_SECONDS)
        event.clear()  # what ended before this moment the caller reads

        def wait(seconds: float) -> bool:
            told = event.wait(seconds)
            event.clear()
            return told

        try:
            yield wait
        finally:
            with self._lock:
                self._waiting[number].discard(event)
                if not self._waiting[number]:
                    del self._waiting[number]

    def _start(self) -> None:
        if not self._started:
            self._started = True
            threading.Thread(target=self._listen, name="endings", daemon=True).start()

    def _listen(self) -> None:
        pause = threading.Event()
        while not self.closed:
            try:
                self._follow()
            except redis.RedisError as error:
                if self._subscribed.is_set():
                    log.warning("the subscription to ended jobs was lost (%s); subscribing again", error)
            except Exception:
                # Were this thread to end, nobody in the process would hear of an ending again, and nobody would know.
                log.exception("the subscription to ended jobs failed; subscribing again")
            self._subscribed.clear()
            pause.wait(PAUSE_SECONDS)

    def _follow(self) -> None:
        """Subscribes and passes endings on; after a subscription was lost, everybody looks again."""
        with self._client.pubsub() as subscription:
            subscription.subscribe(keys.ENDED_CHANNEL)
            while True:
                message = subscription.get_message(timeout=30)
                if message is None:
                    subscription.ping()
                elif message["type"] == "subscribe":
                    self._wake_all()
                    self._subscribed.set()
                elif message["type"] == "message":
                    self._wake(message["data"].decode())

    def _wake(self, number: str) -> None:
        with self._lock:
            for event in self._waiting.get(number, ()):
                event.set()

    def _wake_all(self) -> None:
        with self._lock:
            for events in self._waiting.values():
                for event in events:
                    event.set()
