"""Releasing deliveries that are due to the senders that live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import redis

from jobs import keys, scripts
from jobs.lanes import LEAD_SECONDS
from jobs.messages import message_of
from jobs.workers import CLAIM_SECONDS

MOST_DELIVERIES = 256
MOST_JITTER = 1.2
SLACK_SECONDS = 3600.0
LEAST_PATIENCE_SECONDS = 7 * 86400.0
"""In which senders may be away, or a breaker open, before what waited through all of it is given up."""

DELIVER_TASK = "respool.deliver"
"""The one task name of senders; frozen, as jobs.lanes.TASK is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """`wake_seconds` is None when nothing may go before something else happens."""

    leads: bool
    count: int
    wake_seconds: float | None


class Releases:
    """`schedule` holds the seconds waited before each attempt; what waits for longer than all of it, and a week, is
    given up. `rate` is how many a second go to an origin of a project; 0: any number."""

    def __init__(self, client: redis.Redis, *, schedule: Sequence[float], rate: int = 0) -> None:
        self._client = client
        self._rate = rate
        seconds = max(LEAST_PATIENCE_SECONDS, sum(schedule) * MOST_JITTER + SLACK_SECONDS)
        self._patience_ms = round(seconds * 1000)

    def release(self, sender: str) -> Released:
        """Releases what may go, if `sender` leads or nobody does."""
        milliseconds = [round(1000 * seconds) for seconds in (LEAD_SECONDS, CLAIM_SECONDS)]
        args: list[scripts.Argument] = [
            sender,
            milliseconds[0],
            MOST_DELIVERIES,
            milliseconds[1],
            message_of(DELIVER_TASK),
            self._patience_ms,
            self._rate,
        ]
        call = scripts.Call(name="release_deliveries", keys=[keys.DELIVERY_LEADER], args=args)
        leads, count, wait = scripts.run(self._client, call)
        return Released(leads=bool(leads), count=int(count), wake_seconds=None if wait < 0 else wait / 1000)
