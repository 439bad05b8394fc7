"""The lanes: what may go now, what slows one down, and why its jobs wait."""

from __future__ import annotations

import json
from dataclasses import dataclass

import redis

from jobs import keys, scripts
from jobs.limits import Limits
from jobs.workers import CLAIM_SECONDS

LEAD_SECONDS = 3.0
MOST_JOBS = 256

TASK = "respool.run"
"""The one task name; frozen, since a worker of an older release rejects a name it does not know."""


def lane_of(model: str, *, account: str = "default") -> str:
    """A lane is one upstream account × one model."""
    return f"{account}:{model}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatched:
    """`wake_seconds` is None when nothing may go before something else happens."""

    leads: bool
    released: int
    wake_seconds: float | None


class Lanes:
    def __init__(self, client: redis.Redis, limits: Limits) -> None:
        self._client = client
        self._limits = limits.as_json()

    def dispatch(self, worker: str) -> Dispatched:
        """Releases what may go, if `worker` leads or nobody does."""
        args: list[scripts.Argument] = [
            worker, round(LEAD_SECONDS * 1000), self._limits, MOST_JOBS, round(CLAIM_SECONDS * 1000), _MESSAGE,
        ]  # fmt: skip
        leads, released, wait = scripts.run(
            self._client, scripts.Call(name="dispatch", keys=[keys.DISPATCHER], args=args)
        )
        return Dispatched(leads=bool(leads), released=int(released), wake_seconds=None if wait < 0 else wait / 1000)


_MESSAGE = json.dumps(
    {
        "body": "",
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"lang": "py", "task": TASK, "id": "", "root_id": "", "parent_id": None, "group": None},
        "properties": {
            "correlation_id": "",
            "delivery_mode": 2,
            "delivery_tag": "",
            "priority": 0,
            "delivery_info": {"exchange": "", "routing_key": ""},
        },
    }
)
"""A message of Celery's protocol 2; the dispatch script fills in id, queue and body."""
