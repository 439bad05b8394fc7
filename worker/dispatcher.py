"""The one worker that leads releases jobs as limits and slots allow; the others stand by."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

import redis

from jobs import keys, scripts
from jobs.errors import StoreUnavailable
from jobs.lanes import Lanes

log = logging.getLogger(__name__)

STAND_BY_SECONDS = 1.0
LONGEST_SECONDS = 1.0
"""The lead is renewed at least this often; it also bounds what a wake that got lost can cost."""


class Dispatcher:
    def __init__(self, lanes: Lanes, client: redis.Redis, *, worker: str) -> None:
        self._lanes = lanes
        self._client = client
        self._worker = worker
        self._wakes: redis.client.PubSub | None = None

    def step(self) -> float:
        """Dispatches once and, while leading, waits for the next wake; answers the seconds until the next step."""
        done = self._lanes.dispatch(self._worker)
        for change in done.changes:
            log.info("%s", change)
        if not done.leads:
            self.close()
            return STAND_BY_SECONDS
        if self._wakes is None:
            self._subscribe()
        else:
            self._wait(LONGEST_SECONDS if done.wake_seconds is None else min(done.wake_seconds, LONGEST_SECONDS))
        return 0

    def _subscribe(self) -> None:
        self._wakes = self._client.pubsub()
        with self._lost_with_redis():
            self._wakes.subscribe(keys.WAKE)

    def _wait(self, seconds: float) -> None:
        if self._wakes is not None and seconds > 0:
            with self._lost_with_redis():
                self._wakes.get_message(timeout=seconds)

    @contextlib.contextmanager
    def _lost_with_redis(self) -> Iterator[None]:
        try:
            with scripts.translated():
                yield
        except StoreUnavailable:
            self.close()
            raise

    def close(self) -> None:
        if self._wakes is not None:
            self._wakes.close()
            self._wakes = None
