"""A Response as /v1/responses hands it out: the protocol's own, and in `respool` what this service knows of its job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api import job_view, webhook_view
from api.services import services
from jobs.lanes import account_of
from jobs.record import Job
from jobs.waiting import Waiting


def dump(job: Job) -> dict[str, Any]:
    """Of the shape of OwnResponseSchema. Raises StoreUnavailable."""
    (whole,) = dump_all([job])
    return whole


def dump_all(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    waiting = services().waiting.of(jobs)
    return [dump_waiting(job, waiting[job.number]) for job in jobs]


def dump_waiting(job: Job, waiting: Waiting) -> dict[str, Any]:
    """The same, of a job that waits so."""
    whole = job_view.response_of(job)
    return {**whole, "respool": {**_said(whole), **_of_job(job), **job_view.dump_waiting(waiting)}}


def _said(whole: dict[str, Any]) -> dict[str, Any]:
    """What the protocol has no word for; an endpoint's own field of the name may be anything."""
    said = whole.get("respool")
    return said if isinstance(said, dict) else {}


def _of_job(job: Job) -> dict[str, Any]:
    return {
        "job_id": job.id,
        "project": job.project,
        "priority": job.priority,
        "account": account_of(job.lane) if job.lane else None,
        "attempts": job_view.dump_attempts(job),
        "attempts_spent": job.attempts_spent,
        "max_attempts": job.max_attempts,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "expires_at": job.expires_at,
        "estimated_tokens": job.tokens,
        "cost": job_view.cost(job.model, job.nano),
        "currency": services().limits.currency,
        "error": job.error,
        "webhook": webhook_view.dump(job.webhook) if job.webhook else None,
    }
