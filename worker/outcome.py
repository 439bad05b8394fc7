"""What an attempt came to: a Response to keep, or a problem of a known kind."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from worker import calls
from worker.calls import Call
from worker.errors import BrokenAnswer, CallError, HungUp, Unreachable
from worker.refusals import Kind, kind_of
from worker.responses_client import Answer, request_id_of
from worker.retry_after import seconds_until
from worker.upstream_error import read_error
from worker.upstream_json import parse_object

KEPT_ERROR_BYTES = 64 * 1024
BAD_REQUEST = 400
UNTOLD_STATUSES = (408, 502, 504)
"""Said by whoever stands before the endpoint, which may be at work on the request all the same."""

ENDS = ("completed", "incomplete", "failed", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Responded:
    """The upstream gave a Response: `upstream` as decoded, `raw` as sent (of a stream, the final event's)."""

    status: str
    upstream: Mapping[str, Any]
    raw: bytes
    http_status: int
    request_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """No Response to keep. `delivery` is not_sent, sent or answered; `unknown`: nobody can know if it was done."""

    kind: Kind
    code: str
    message: str
    delivery: str
    may_be_billed: bool
    unknown: bool = False
    http_status: int | None = None
    request_id: str | None = None
    retry_after_seconds: float | None = None
    upstream: Mapping[str, Any] = field(default_factory=dict)
    raw: bytes | None = None


Outcome = Responded | Problem


def of_error(error: CallError, *, heard: Call | None = None) -> Problem:
    """The outcome of a call that brought no whole answer; `heard` has what came of it before it broke."""
    return Problem(
        kind=Kind.ENDPOINT if isinstance(error, Unreachable) else Kind.TRANSIENT,
        code=error.code,
        message=str(error),
        delivery="sent" if error.sent else "not_sent",
        may_be_billed=error.sent,
        unknown=error.sent,
        http_status=heard.http_status if heard else None,
        request_id=heard.request_id if heard else None,
        upstream={"id": heard.response_id} if heard and heard.response_id else {},
    )


def of_hanging_up(ended: HungUp, *, seconds: float) -> Problem:
    """The outcome of a call that we ended ourselves; `seconds` is what it was given."""
    if ended.why == calls.OUT_OF_TIME:
        message = f"the call took longer than run_timeout_seconds ({seconds:g})"
        return replace(of_error(ended), kind=Kind.TRANSIENT, code="run_timeout", message=message)
    message = "the call was called off: its job had ended or a later attempt at it had begun"
    return replace(of_error(ended), code="called_off", message=message)


def of_unfit(answer: Answer) -> Problem:
    """The outcome of an answer that came and cannot be judged or kept, whatever is odd about it."""
    raw = answer.body
    if answer.stream is not None:
        raw = json.dumps(answer.stream.response or answer.stream.error or {}).encode()
    return _invalid(answer, raw, "the endpoint's answer came but could not be read")


def of_answer(answer: Answer, *, now: float) -> Outcome:
    """The outcome of an answer, read leniently."""
    if answer.stream is not None:
        upstream = answer.stream.response
        if upstream is None:
            error = answer.stream.error or {}
            return replace(_refused(answer, error, json.dumps(error).encode(), now=now), may_be_billed=True)
        raw = json.dumps(upstream, ensure_ascii=False).encode()
    else:
        upstream, raw = _decoded(answer.body), answer.body
    if not 200 <= answer.http_status < 300:
        return _refused(answer, upstream, raw, now=now)
    if upstream is None:
        return _invalid(answer, raw, "a successful answer that is not a JSON object")
    return _of_response(answer, upstream, raw, now=now)


def _of_response(answer: Answer, upstream: dict[str, Any], raw: bytes, *, now: float) -> Outcome:
    status = upstream.get("status")
    if status is None and isinstance(upstream.get("output"), list):
        status = "completed"
    if upstream.get("error") and status not in ENDS:
        return replace(_refused(answer, upstream, raw, now=now), may_be_billed=True)
    if status not in ENDS or not isinstance(upstream.get("output") or [], list):
        return _invalid(answer, raw, "a successful answer that is no ended Response")
    if status == "failed" and (problem := _worth_retrying(answer, upstream, raw, now)):
        return problem
    return Responded(
        status="failed" if status == "cancelled" else str(status),
        upstream=upstream,
        raw=raw,
        http_status=answer.http_status,
        request_id=request_id_of(answer.headers),
    )


def _worth_retrying(answer: Answer, upstream: dict[str, Any], raw: bytes, now: float) -> Problem | None:
    """A failed Response whose error is known to pass; one that nobody knows is the model's answer, and was paid for."""
    problem = _refused(answer, upstream, raw, now=now)
    kind = kind_of(http_status=BAD_REQUEST, code=problem.code, message=problem.message)
    return None if kind is Kind.PERMANENT else replace(problem, kind=kind, may_be_billed=True)


def _refused(answer: Answer, upstream: Mapping[str, Any] | None, raw: bytes, *, now: float) -> Problem:
    error, status = read_error(upstream), answer.http_status
    told = _status_told(status, error.code)
    kind = kind_of(http_status=told, code=error.code, message=error.message, param=error.param)
    return Problem(
        kind=kind,
        code=error.code or f"http_{status}",
        message=error.message or f"the endpoint answered {status}",
        delivery="answered",
        may_be_billed=kind is Kind.TRANSIENT,
        unknown=status in UNTOLD_STATUSES or (status >= 500 and upstream is None),
        http_status=status,
        request_id=request_id_of(answer.headers),
        retry_after_seconds=seconds_until(answer.headers, now=now),
        upstream=upstream or {},
        raw=raw[:KEPT_ERROR_BYTES],
    )


def _status_told(status: int, code: str) -> int:
    """The status that an error stands for: in a successful answer, its code says more than the answer's status."""
    if not 200 <= status < 300 or not code:
        return status
    return int(code) if code.isdigit() and len(code) == 3 else BAD_REQUEST


def _invalid(answer: Answer, raw: bytes, message: str) -> Problem:
    return Problem(
        kind=Kind.TRANSIENT,
        code=BrokenAnswer.code,
        message=message,
        delivery="answered",
        may_be_billed=True,
        unknown=True,
        http_status=answer.http_status,
        request_id=request_id_of(answer.headers),
        raw=raw[:KEPT_ERROR_BYTES],
    )


def _decoded(body: bytes) -> dict[str, Any] | None:
    try:
        return parse_object(body)
    except ValueError:
        return None
