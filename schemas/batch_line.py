"""What became of a line of a batch, as its files and its list tell it.

`number` is that of the line's job (32 hexadecimal digits), also where none was made.
"""

from collections.abc import Mapping
from typing import Any

from schemas.error import error_body
from schemas.http_failure import TYPES, status_of

LINE_PREFIX = "batch_req_"
GOOD_ENDS = ("completed", "incomplete")
"""Statuses of jobs whose lines stand in the output file; all others stand in the error file."""

EXPIRED = "batch_expired"
CANCELLED = "batch_cancelled"
DELETED = "result_deleted"
UNRUN = {
    EXPIRED: "This request could not be executed before the completion window ended.",
    CANCELLED: "This request was cancelled before it was answered.",
    DELETED: "What this request was answered with was deleted before the batch ended.",
}
"""The codes of lines that nothing can be shown of."""


def ended(
    number: str,
    *,
    custom_id: str,
    status: str,
    response: Mapping[str, Any] | None,
    error: Mapping[str, Any] | None,
    http_status: int | None,
) -> dict[str, Any]:
    """The line of a job that has ended. `response` is the whole Response, where one came; `error` is the job's own,
    {code, message, retryable}; `http_status` is what the endpoint answered the last attempt with."""
    if status in GOOD_ENDS and response is not None:
        return answered(number, custom_id=custom_id, response=response)
    if status == "cancelled" or error is None:
        return unrun(number, custom_id=custom_id, code=CANCELLED)
    code, retryable = str(error["code"]), bool(error["retryable"])
    if code == "expired":
        return unrun(number, custom_id=custom_id, code=EXPIRED)
    failed_with = status_of(code, http_status=http_status, retryable=retryable)
    body = error_body(str(error["message"]), type=TYPES[failed_with], code=code)
    return _line(number, custom_id, _response(failed_with, f"job_{number}", body), None)


def answered(number: str, *, custom_id: str, response: Mapping[str, Any]) -> dict[str, Any]:
    return _line(number, custom_id, _response(200, f"job_{number}", response), None)


def refused(number: str, *, custom_id: str, status_code: int, body: Mapping[str, Any]) -> dict[str, Any]:
    """The line of a request that no job was made of; `body` is the protocol's error object, {error: …}."""
    return _line(number, custom_id, _response(status_code, LINE_PREFIX + number, body), None)


def unrun(number: str, *, custom_id: str, code: str) -> dict[str, Any]:
    """The line of a request that nothing can be shown of; `code` is one of UNRUN."""
    return _line(number, custom_id, None, {"code": code, "message": UNRUN[code]})


def _response(status_code: int, request_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
    return {"status_code": status_code, "request_id": request_id, "body": body}


def _line(number: str, custom_id: str, response: dict[str, Any] | None, error: dict[str, str] | None) -> dict[str, Any]:
    return {"id": LINE_PREFIX + number, "custom_id": custom_id, "response": response, "error": error}
