"""The one worker that leads releases jobs as limits and slots allow; the others stand by."""

from __future__ import annotations

import logging

import redis

from jobs import keys
from jobs.lanes import Lanes
from worker.wakes import Wakes

log = logging.getLogger(__name__)


class Dispatcher:
    def __init__(self, lanes: Lanes, client: redis.Redis, *, worker: str) -> None:
        self._lanes = lanes
        self._worker = worker
        self._wakes = Wakes(client, channel=keys.WAKE)

    def step(self) -> float:
        """Dispatches once and, while leading, waits for the next wake; answers the seconds until the next step."""
        done = self._lanes.dispatch(self._worker)
        for change in done.changes:
            log.info("%s", change)
        return self._wakes.follow(leads=done.leads, wake_seconds=done.wake_seconds)

    def close(self) -> None:
        self._wakes.close()
