"""A response that was waited for and did not come, as an HTTP error: the endpoint's own kind, with a fitting status."""

from __future__ import annotations

from typing import Any

from api.refusal import Refusal
from jobs.record import Job
from schemas import strict_json
from schemas.error import InvalidJson
from schemas.http_failure import TYPES, status_of

RETRY_LATER_SECONDS = 60
FINAL = {"x-should-retry": "false"}
"""The job was tried as often as it may, and an SDK that sends it again is answered by the same job."""


def refusal_of(job: Job, *, raw: bytes | None) -> Refusal:
    """What a job that failed or was cancelled answers; `raw` is what the upstream sent last."""
    if job.status == "cancelled" or job.error is None:
        return Refusal(400, "The response was cancelled.", code="response_cancelled", headers=FINAL)
    code, retryable = str(job.error["code"]), bool(job.error["retryable"])
    status = status_of(code, http_status=_last_status(job), retryable=retryable)
    later = {"Retry-After": str(RETRY_LATER_SECONDS)} if status == 429 and retryable else {}
    param = _param(raw) if status == 400 else None
    return Refusal(status, str(job.error["message"]), type=TYPES[status], param=param, code=code, headers=FINAL | later)


def wait_timeout(job: Job, reason: str | None, *, seconds: float) -> Refusal:
    """The answer to a caller who has waited for as long as may be; the job goes on. `reason` is why it still waits."""
    where = f"{job.status}: {reason}" if reason else job.status
    message = f"No end within {seconds:g} s ({where}); it goes on: GET /v1/responses/{job.response_id} later."
    return Refusal(504, message, type="server_error", code="wait_timeout", headers=FINAL)


def wait_interrupted(response_id: str) -> Refusal:
    """The answer to a caller whose wait ends since this process does; an SDK's own repeat goes on waiting elsewhere."""
    message = f"The service is being restarted; the response goes on: GET /v1/responses/{response_id}."
    headers = {"Retry-After": "1", "x-should-retry": "true"}
    return Refusal(503, message, type="server_error", code="wait_interrupted", headers=headers)


def _last_status(job: Job) -> int | None:
    return job.attempts[-1].get("http_status") if job.attempts else None


def _param(raw: bytes | None) -> str | None:
    """What the endpoint says is at fault, if it says so."""
    try:
        told: Any = strict_json.parse(raw or b"")
    except InvalidJson:
        return None
    error = told.get("error") if isinstance(told, dict) else None
    param = error.get("param") if isinstance(error, dict) else None
    return param[:256] if isinstance(param, str) and param else None
