"""Holding an answer until a job ends."""

from __future__ import annotations

import time

from api.services import services
from jobs.record import Job


def awaited(number: str, *, project: str | None, seconds: float) -> Job:
    """The job now or, if it is under way, after it ended, the seconds passed, or the process is to stop.

    Raises JobNotFound, StoreUnavailable.
    """
    until = time.monotonic() + seconds
    job = services().store.get(number, project=project)
    if job.finished_at is not None or not seconds:
        return job
    with services().endings.watched(number) as wait:
        while True:
            job = services().store.get(number, project=project)
            left = until - time.monotonic()
            if job.finished_at is not None or left <= 0 or services().endings.closed:
                return job
            wait(left)
