"""A job as it is handed out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api.services import services
from jobs.record import Job
from schemas import response, strict_json
from schemas.error import InvalidJson


def dump(job: Job, *, raw: bytes | None = None) -> dict[str, Any]:
    """The job on the wire; `raw`, what the upstream sent, takes the place of the completed response."""
    (whole,) = dump_all([job])
    if raw is not None:
        whole["response"] = _raw(raw)
    return whole


def dump_all(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    reasons = services().waiting.of(jobs)
    return [_dump(job, reasons[job.number]) for job in jobs]


def _dump(job: Job, waiting_reason: str | None) -> dict[str, Any]:
    return {
        "id": job.id,
        "object": "job",
        "status": job.status,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "expires_at": job.expires_at,
        "model": job.model,
        "project": job.project,
        "api_key": job.api_key,
        "metadata": job.metadata,
        "waiting_reason": waiting_reason,
        "attempts": [_attempt(entry) for entry in job.attempts],
        "attempts_spent": job.attempts_spent,
        "max_attempts": job.max_attempts,
        "on_unknown": job.on_unknown,
        "queue_deadline_seconds": job.queue_deadline_seconds,
        "run_timeout_seconds": job.run_timeout_seconds,
        "usage": job.usage,
        "response": job.response or _response(job),
        "error": job.error,
    }


def _response(job: Job) -> dict[str, Any]:
    """The Response of a job that has none from upstream: queued, under way, cancelled or failed."""
    error = {"code": job.error["code"], "message": job.error["message"]} if job.error else None
    return response.complete(
        {},
        response_id=job.response_id,
        status=job.status,
        created_at=job.created_at,
        completed_at=job.finished_at,
        request=job.echo,
        error=error,
    )


ATTEMPT_FIELDS = (
    "number", "started_at", "finished_at", "worker", "outcome", "delivery", "may_be_billed",
    "http_status", "upstream_request_id", "upstream_response_id", "usage", "error",
)  # fmt: skip


def _attempt(entry: dict[str, Any]) -> dict[str, Any]:
    times = {name: entry[name] / 1000 if name in entry else None for name in ("started_at", "finished_at")}
    return {name: entry.get(name) for name in ATTEMPT_FIELDS} | times


def _raw(sent: bytes) -> Any:
    """JSON as JSON; anything else, and what not every reader of JSON takes, as text."""
    try:
        return strict_json.parse(sent)
    except InvalidJson:
        return sent.decode(errors="replace")
