"""A job as it is handed out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api import webhook_view
from api.services import services
from jobs.eta import Eta
from jobs.lanes import account_of
from jobs.prices import amount
from jobs.record import Job
from jobs.waiting import Waiting
from schemas import response, strict_json
from schemas.error import InvalidJson


def dump(job: Job, *, raw: bytes | None = None) -> dict[str, Any]:
    """The job on the wire; `raw`, what the upstream sent, takes the place of the completed response."""
    (whole,) = dump_all([job])
    if raw is not None:
        whole["response"] = _raw(raw)
    return whole


def dump_all(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    waiting = services().waiting.of(jobs)
    return [dump_as(job, waiting[job.number]) for job in jobs]


def dump_waiting(waiting: Waiting) -> dict[str, Any]:
    """Why it waits, and for how long still; all null for a job that does not wait."""
    return {
        "waiting_reason": waiting.reason,
        "position": waiting.position,
        "jobs_ahead": waiting.ahead,
        "eta": _eta(waiting.eta),
    }


def _eta(eta: Eta | None) -> dict[str, float] | None:
    return {"p50_seconds": round(eta.p50_seconds, 3), "p90_seconds": round(eta.p90_seconds, 3)} if eta else None


def cost(model: str, nano: int) -> float | None:
    """An amount in the currency; None where nothing is known of the model's price."""
    return amount(nano) if nano or model in services().limits.prices else None


def dump_as(job: Job, waiting: Waiting) -> dict[str, Any]:
    """The job with what is known of its waiting."""
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
        **dump_waiting(waiting),
        "priority": job.priority,
        "account": account_of(job.lane) if job.lane else None,
        "attempts": dump_attempts(job),
        "attempts_spent": job.attempts_spent,
        "max_attempts": job.max_attempts,
        "on_unknown": job.on_unknown,
        "queue_deadline_seconds": job.queue_deadline_seconds,
        "run_timeout_seconds": job.run_timeout_seconds,
        "estimated_tokens": job.tokens,
        "usage": job.usage,
        "cost": cost(job.model, job.nano),
        "currency": services().limits.currency,
        "response": response_of(job),
        "error": job.error,
        "webhook": webhook_view.dump(job.webhook) if job.webhook else None,
    }


def response_of(job: Job) -> dict[str, Any]:
    """The Response that came, or one that says why none did: queued, under way, cancelled or failed."""
    if job.response:
        return job.response
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


def dump_attempts(job: Job) -> list[dict[str, Any]]:
    return [_attempt(entry) for entry in job.attempts]


ATTEMPT_FIELDS = (
    "number", "started_at", "finished_at", "worker", "outcome", "delivery", "may_be_billed",
    "http_status", "upstream_request_id", "upstream_response_id", "usage", "error",
)  # fmt: skip


def _attempt(entry: dict[str, Any]) -> dict[str, Any]:
    times = {name: entry[name] / 1000 if name in entry else None for name in ("started_at", "finished_at")}
    account = account_of(entry["lane"]) if entry.get("lane") else None
    kept = {name: entry.get(name) for name in ATTEMPT_FIELDS}
    return kept | times | {"account": account, "series": entry.get("series", 1)}


def _raw(sent: bytes) -> Any:
    """JSON as JSON; anything else, and what not every reader of JSON takes, as text."""
    try:
        return strict_json.parse(sent)
    except InvalidJson:
        return sent.decode(errors="replace")
