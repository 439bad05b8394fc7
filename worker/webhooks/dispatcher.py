"""The one sender that leads releases deliveries that are due; the others stand by."""

from __future__ import annotations

import redis

from jobs import keys
from jobs.webhooks.releases import Releases
from worker.wakes import Wakes


class DeliveryDispatcher:
    def __init__(self, releases: Releases, client: redis.Redis, *, sender: str) -> None:
        self._releases = releases
        self._sender = sender
        self._wakes = Wakes(client, channel=keys.WAKE_DELIVERIES)

    def step(self) -> float:
        """Releases once and, while leading, waits for the next wake; answers the seconds until the next step."""
        done = self._releases.release(self._sender)
        return self._wakes.follow(leads=done.leads, wake_seconds=done.wake_seconds)

    def close(self) -> None:
        self._wakes.close()
