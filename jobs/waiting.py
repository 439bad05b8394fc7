"""Why jobs wait, as the dispatcher last saw it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import redis

from jobs import keys, scripts
from jobs.record import Job, Stage

NO_WORKER = "no_worker"
RETRY_AT = "retry_at"


class WaitingReasons:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def of(self, jobs: Iterable[Job]) -> dict[str, str | None]:
        """The reason by job number, None for a job that does not wait or whose turn it simply is not yet.

        Raises StoreUnavailable.
        """
        found = list(jobs)
        lanes = sorted({job.lane for job in found if job.stage is Stage.WAITING})
        blocked, workers = self._lanes(lanes) if lanes else ({}, 0)
        return {job.number: _reason(job, blocked, workers) for job in found}

    def _lanes(self, names: list[str]) -> tuple[dict[str, str], int]:
        """Why the dispatcher passed over each lane, and how many worker processes live."""
        with scripts.translated():
            seconds, _ = self._client.time()
            with self._client.pipeline(transaction=False) as pipeline:
                pipeline.zcount(keys.WORKERS, f"({seconds * 1000}", "+inf")
                for name in names:
                    pipeline.hget(keys.lane(name), "blocked")
                answers: list[Any] = pipeline.execute()
        return {name: (why or b"").decode() for name, why in zip(names, answers[1:], strict=True)}, answers[0]


def _reason(job: Job, blocked: dict[str, str], workers: int) -> str | None:
    if job.stage is Stage.DELAYED:
        return job.reason or RETRY_AT
    if job.stage is not Stage.WAITING:
        return None
    return blocked[job.lane] or None if workers else NO_WORKER
