"""The worker processes as the store knows them, and what is done about those that die."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import redis

from jobs import keys, scripts
from jobs.upgrade import upgrade

LEASE_SECONDS = 6.0
CLAIM_SECONDS = 10.0
"""How long a release may stay unclaimed."""

SWEEP_SECONDS = 1.0
SWEEP_JOBS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """How many jobs one sweep moved, by cause."""

    recovered: int
    unclaimed: int
    due: int
    expired: int
    forgotten: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveWorker:
    """`slots` is what it offers, `jobs` what it holds; host, pid and started_at (seconds) are its own words.

    `stalled`: it left a release unclaimed and has claimed nothing since; `lease_seconds` is what its lease still runs.
    """

    id: str
    slots: int
    jobs: int
    stalled: bool
    lease_seconds: float
    host: str
    pid: int
    started_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """A response that goes on upstream for a job that was cancelled."""

    lane: str
    upstream_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a beat brought: the numbers of jobs cancelled under the worker, and responses that it is to cancel."""

    cancelled: list[str]
    orphans: list[Orphan]


class Workers:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def beat(
        self, worker: str, *, slots: int, about: Mapping[str, str | int | float], heard: Sequence[str] = ()
    ) -> Heard:
        """Renews the lease; of the jobs cancelled under the worker, those that it has not `heard` of."""
        args: list[scripts.Argument] = [worker, round(LEASE_SECONDS * 1000), slots, json.dumps(about), *heard]
        cancelled, orphans = scripts.run(self._client, scripts.Call(name="heartbeat", args=args))
        pairs = (entry.decode().partition("\n") for entry in orphans)
        return Heard(
            cancelled=[number.decode() for number in cancelled],
            orphans=[Orphan(lane=lane, upstream_id=upstream_id) for lane, _, upstream_id in pairs],
        )

    def leave(self, worker: str) -> int:
        """Goes for good; the number of jobs that had to be recovered."""
        call = scripts.Call(name="leave", keys=[keys.DISPATCHER], args=[worker, SWEEP_JOBS])
        recovered, left = scripts.run(self._client, call)
        return int(recovered) + (self.leave(worker) if left else 0)

    def held_by(self, worker: str) -> set[str]:
        """The numbers of the jobs that are recorded as released to the worker or run by it."""
        with scripts.translated():
            held: set[Any] = self._client.smembers(keys.worker_jobs(worker))
        return {number.decode() for number in held}

    def give_back(self, worker: str, numbers: Sequence[str]) -> int:
        """Recovers jobs that the worker no longer holds; how many."""
        return int(scripts.run(self._client, scripts.Call(name="give_back", args=[worker, *numbers])))

    def sweep(self) -> Swept | None:
        """One piece of repair, or None if another worker has just swept."""
        milliseconds = [round(1000 * seconds) for seconds in (LEASE_SECONDS, CLAIM_SECONDS)]
        args = [round(SWEEP_SECONDS * 900), SWEEP_JOBS, *milliseconds]
        call = scripts.Call(name="sweep", keys=[keys.SWEEP], args=args)
        found = scripts.run(self._client, call)
        if not found:
            return None
        recovered, unclaimed, due, expired, forgotten = (int(number) for number in found)
        return Swept(recovered=recovered, unclaimed=unclaimed, due=due, expired=expired, forgotten=forgotten)

    def upgrade(self) -> int:
        """Takes over what an older release left in the store, before it is swept; how many jobs."""
        return upgrade(self._client)

    def scan(self) -> Iterator[int]:
        """Walks over all records, a page a step, and puts back those that no index holds; yields how many."""
        with scripts.translated():
            records: Iterable[bytes] = self._client.scan_iter(match=keys.job("*"), count=500)
            pages = iter(records)
            while page := [key.decode().removeprefix(keys.job("")) for key in islice(pages, 250)]:
                yield int(scripts.run(self._client, scripts.Call(name="reindex", args=page)))

    def live(self) -> list[LiveWorker]:
        """The worker processes whose lease runs, by id. Raises StoreUnavailable."""
        with scripts.translated():
            seconds, micros = self._client.time()
            now = seconds * 1000 + micros / 1000
            found: list[Any] = self._client.zrangebyscore(keys.WORKERS, f"({now}", "+inf", withscores=True)
            leases = sorted((worker.decode(), (until - now) / 1000) for worker, until in found)
            with self._client.pipeline(transaction=False) as pipeline:
                for worker, _ in leases:
                    pipeline.hmget(keys.worker(worker), "slots", "about", "stalled")
                    pipeline.scard(keys.worker_jobs(worker))
                answers = pipeline.execute()
        rows = zip(leases, answers[::2], answers[1::2], strict=True)
        return [
            LiveWorker(
                id=worker,
                slots=int(slots),
                jobs=jobs,
                stalled=stalled is not None,
                lease_seconds=lease,
                **json.loads(about),
            )
            for (worker, lease), (slots, about, stalled), jobs in rows
            if slots is not None
        ]
