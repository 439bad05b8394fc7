"""What the leader listens to between two looks; who does not lead listens to nothing."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import redis

from jobs import scripts
from jobs.errors import StoreUnavailable

STAND_BY_SECONDS = 1.0
LONGEST_SECONDS = 1.0
"""The lead is renewed at least this often; it also bounds what a wake that got lost can cost."""
GATHER_SECONDS = 0.01
"""Looks are no closer to each other: what comes meanwhile shares one. The first after a calm time is at once."""


class Wakes:
    def __init__(self, client: redis.Redis, *, channel: str) -> None:
        self._client = client
        self._channel = channel
        self._looked_at = 0.0
        self.heard: redis.client.PubSub | None = None

    def follow(self, *, leads: bool, wake_seconds: float | None) -> float:
        """After a look: waits, while leading, for the next wake; answers the seconds until the next look.

        `wake_seconds` is None when nothing may go before something else happens. Raises StoreUnavailable.
        """
        if not leads:
            self.close()
            return STAND_BY_SECONDS
        if self.heard is None:
            self._subscribe()
        else:
            due = time.monotonic() + min(LONGEST_SECONDS if wake_seconds is None else wake_seconds, LONGEST_SECONDS)
            self._wait(due - time.monotonic())
            self._gather(due)
        return 0

    def _subscribe(self) -> None:
        self.heard = self._client.pubsub()
        with self._lost_with_redis():
            self.heard.subscribe(self._channel)

    def _wait(self, seconds: float) -> None:
        if self.heard is not None and seconds > 0:
            with self._lost_with_redis():
                self.heard.get_message(timeout=seconds)

    def _gather(self, due: float) -> None:
        """Not beyond `due`, when something may go without a wake."""
        time.sleep(max(0.0, min(due, self._looked_at + GATHER_SECONDS) - time.monotonic()))
        self._looked_at = time.monotonic()

    @contextlib.contextmanager
    def _lost_with_redis(self) -> Iterator[None]:
        try:
            with scripts.translated():
                yield
        except StoreUnavailable:
            self.close()
            raise

    def close(self) -> None:
        if self.heard is not None:
            self.heard.close()
            self.heard = None
