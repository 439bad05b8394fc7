"""What became of a line, as the files of its batch tell it."""

from __future__ import annotations

from typing import Any

from jobs.batches.lines import Line, line_number
from jobs.batches.record import Batch
from jobs.record import Job
from schemas import batch_line
from schemas.job import TERMINAL


def told(batch: Batch, line: Line) -> dict[str, Any] | None:
    """{id, custom_id, response, error} of a line that has ended; None of one that has not."""
    if line.refusal is not None:
        return batch_line.refused(
            line_number(batch.number, line.line),
            custom_id=line.custom_id,
            status_code=line.refusal["status_code"],
            body=line.refusal["body"],
        )
    job = line.job
    return None if job is None or job.status not in TERMINAL else _of_job(batch, job, line.custom_id)


def _of_job(batch: Batch, job: Job, custom_id: str) -> dict[str, Any]:
    window_over = batch.cancelling_at is None and (job.finished_at or 0) >= batch.expires_at
    if job.status == "cancelled" and window_over:
        return batch_line.unrun(job.number, custom_id=custom_id, code=batch_line.EXPIRED)
    return batch_line.ended(
        job.number,
        custom_id=custom_id,
        status=job.status,
        response=job.response,
        error=job.error,
        http_status=job.attempts[-1].get("http_status") if job.attempts else None,
    )
