"""A response that was waited for and did not come, as an HTTP error: the endpoint's own kind, with a fitting status."""

from __future__ import annotations

import re
from typing import Any

from api.refusal import Refusal
from jobs.record import Job
from schemas import strict_json
from schemas.error import InvalidJson

RETRY_LATER_SECONDS = 60
FINAL = {"x-should-retry": "false"}
"""The job was tried as often as it may, and an SDK that sends it again is answered by the same job."""

OWN_STATUSES = {
    "expired": 504,
    "run_timeout": 504,
    "upstream_timeout": 504,
    "failed_to_download": 400,
    "file_not_found": 400,
    "outcome_unknown": 502,
    "worker_lost": 502,
    "connection_error": 502,
    "connection_cut": 502,
    "upstream_unreachable": 502,
    "upstream_answer_too_large": 502,
    "upstream_answer_invalid": 502,
    "upstream_lost": 502,
}
TYPES = {400: "invalid_request_error", 429: "rate_limit_error", 502: "server_error", 504: "server_error"}
RATE = re.compile(r"rate.?limit|too.?many.?requests|quota|overloaded", re.IGNORECASE)
FAULTS = re.compile(r"server.?error|internal|timeout|unavailable", re.IGNORECASE)


def refusal_of(job: Job, *, raw: bytes | None) -> Refusal:
    """What a job that failed or was cancelled answers; `raw` is what the upstream sent last."""
    if job.status == "cancelled" or job.error is None:
        return Refusal(400, "The response was cancelled.", code="response_cancelled", headers=FINAL)
    code, retryable = str(job.error["code"]), bool(job.error["retryable"])
    status = status_of(code, http_status=_last_status(job), retryable=retryable)
    later = {"Retry-After": str(RETRY_LATER_SECONDS)} if status == 429 and retryable else {}
    param = _param(raw) if status == 400 else None
    return Refusal(status, str(job.error["message"]), type=TYPES[status], param=param, code=code, headers=FINAL | later)


def wait_timeout(response_id: str, *, seconds: float) -> Refusal:
    """The answer to a caller who has waited for as long as may be; the job goes on."""
    message = f"The response did not end within {seconds:g} s and goes on: GET /v1/responses/{response_id} later."
    return Refusal(504, message, type="server_error", code="wait_timeout", headers=FINAL)


def status_of(code: str, *, http_status: int | None, retryable: bool) -> int:
    """400, 429, 502 or 504 for an error's code and the status that the endpoint answered the last attempt with.

    An error in a successful answer is known by its code; one that would come again is the request's own.
    """
    if code in OWN_STATUSES:
        return OWN_STATUSES[code]
    match http_status:
        case 429:
            return 429
        case 408 | 504:
            return 504
        case 409 | 425:
            return 502
        case int() if 400 <= http_status < 500:
            return 400
        case int() if http_status >= 500:
            return 502
    if RATE.search(code):
        return 429
    return 502 if retryable or FAULTS.search(code) else 400


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
