"""The names of lanes and backlogs, and the dispatch of what may go now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import redis

from jobs import keys, scripts
from jobs.accounts import DEFAULT
from jobs.limits import Limits
from jobs.messages import message_of
from jobs.workers import CLAIM_SECONDS

LEAD_SECONDS = 3.0
MOST_JOBS = 256
PROBE_SECONDS = 5.0
"""A call that is up for so long after the time to connect has found its endpoint."""

TASK = "respool.run"
"""The one task name; frozen, since a worker of an older release rejects a name it does not know."""


ANY = "*"


def lane_of(model: str, *, account: str = DEFAULT) -> str:
    """A lane is one upstream account × one model."""
    return f"{account}:{model}"


def backlog_of(model: str, *, account: str | None = None) -> str:
    """Where a job waits: for its model on any account, or on the one that it asks for."""
    return f"{account or ANY}:{model}"


def account_of(lane: str) -> str:
    return lane.partition(":")[0]


def model_of(lane: str) -> str:
    """Of a lane or a backlog."""
    return lane.partition(":")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatched:
    """`wake_seconds` is None when nothing may go before something else happens; `changes` are lines for the log, oldest
    first: what changed at which lane, and why."""

    leads: bool
    released: int
    wake_seconds: float | None
    changes: Sequence[str] = ()


class Lanes:
    """`connect_seconds` is how long a worker tries to reach an endpoint at most."""

    def __init__(self, client: redis.Redis, limits: Limits, *, connect_seconds: float = 10.0) -> None:
        self._client = client
        self._probe_seconds = connect_seconds + PROBE_SECONDS
        self._limits = limits.as_json()

    def dispatch(self, worker: str) -> Dispatched:
        """Releases what may go, if `worker` leads or nobody does."""
        args: list[scripts.Argument] = [
            worker, round(LEAD_SECONDS * 1000), self._limits, MOST_JOBS, round(CLAIM_SECONDS * 1000), message_of(TASK),
            round(self._probe_seconds * 1000),
        ]  # fmt: skip
        leads, released, wait, changes = scripts.run(
            self._client, scripts.Call(name="dispatch", keys=[keys.DISPATCHER], args=args)
        )
        return Dispatched(
            leads=bool(leads),
            released=int(released),
            wake_seconds=None if wait < 0 else wait / 1000,
            changes=[_line(change) for change in reversed(changes)],
        )


def _line(change: bytes) -> str:
    """One line for a log; names and reasons come from callers and upstreams."""
    return "".join(c if c.isprintable() else "?" for c in change.decode(errors="replace"))
