"""Waiting for what Redis tells: one subscription a process, on a thread of its own, however many wait."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import redis

PAUSE_SECONDS = 0.5
PING_SECONDS = 10.0
"""Nothing came for so long: a server whose host has died says nothing more, and its connection lives on for minutes."""

log = logging.getLogger(__name__)


class Subscription(ABC):
    """Begins with the first who waits, and again, for as long as the process lives, whenever it was lost."""

    told_of: str
    """What it tells of, for the log."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._live = threading.Event()
        self._started = False
        self.closed = False
        """Whether whoever waits is to end."""

    def close(self) -> None:
        """Has everybody look again, now, and know that nobody should wait any longer: the process is to stop."""
        self.closed = True
        with self._lock:
            self._wake_all()

    @abstractmethod
    def _wake_all(self) -> None:
        """Has everybody look again; the caller holds the lock."""

    @abstractmethod
    def _subscribe(self, pubsub: redis.client.PubSub) -> None:
        """Begins anew."""

    @abstractmethod
    def _hear(self, kind: str, message: Mapping[str, Any]) -> None:
        """Passes a message on; its kind is `message`, or `subscribe` when Redis has begun to tell."""

    def _adjust(self, pubsub: redis.client.PubSub) -> None:  # noqa: B027 - few have anything to do here
        """After each message, and when none came for a while."""

    def _start(self) -> None:
        """The caller holds the lock."""
        if not self._started:
            self._started = True
            threading.Thread(target=self._listen, name=type(self).__name__.lower(), daemon=True).start()

    def _listen(self) -> None:
        pause = threading.Event()
        while not self.closed:
            try:
                self._follow()
            except redis.RedisError as error:
                if self._live.is_set():
                    log.warning("the subscription to %s was lost (%s); subscribing again", self.told_of, error)
            except Exception:
                # Were this thread to end, nobody in the process would be told again, and nobody would know.
                log.exception("the subscription to %s failed; subscribing again", self.told_of)
            self._live.clear()
            pause.wait(PAUSE_SECONDS)

    def _follow(self) -> None:
        with self._client.pubsub() as pubsub:
            self._subscribe(pubsub)
            pinged = False
            while True:
                message = pubsub.get_message(timeout=PING_SECONDS)
                if message is None and pinged:
                    raise redis.ConnectionError("a ping was not answered")
                pinged = message is None
                if message is None:
                    pubsub.ping()
                elif message["type"] in ("subscribe", "message"):
                    self._hear(message["type"], message)
                    self._live.set()
                self._adjust(pubsub)


def waiting(told: threading.Event) -> Callable[[float], bool]:
    """`wait(seconds)`: True as soon as it is worth looking again, or False when time is up."""

    def wait(seconds: float) -> bool:
        came = told.wait(seconds)
        told.clear()
        return came

    return wait
