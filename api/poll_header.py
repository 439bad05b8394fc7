"""`openai-poll-after-ms`: when it is worth asking again for a response that has not ended."""

from __future__ import annotations

from jobs.record import Job
from jobs.waiting import Waiting

LEAST_MS = 500
MOST_MS = 10_000
UNKNOWN_MS = 5_000
SHARE = 0.25
"""Of how long it has run: one that has run for long is asked for less often."""


def poll_headers(job: Job, waiting: Waiting, *, now: float) -> dict[str, str]:
    """Nothing for one that has ended. `now` is in seconds since the epoch."""
    if job.finished_at is not None:
        return {}
    return {"openai-poll-after-ms": str(max(LEAST_MS, min(MOST_MS, _milliseconds(job, waiting, now))))}


def _milliseconds(job: Job, waiting: Waiting, now: float) -> int:
    if job.status == "in_progress" and job.started_at is not None:
        return round((now - job.started_at) * SHARE * 1000)
    return round(waiting.eta.p50_seconds * 1000) if waiting.eta is not None else UNKNOWN_MS
