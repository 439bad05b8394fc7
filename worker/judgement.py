"""Judging an answer: whatever an endpoint sends is read leniently, and comes to a Response or a problem."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from worker.calls import Call
from worker.errors import BrokenAnswer
from worker.outcome import Outcome, Problem, Responded
from worker.rate_headers import read_rates
from worker.refusals import Kind, is_known, kind_of
from worker.responses_client import Answer, request_id_of
from worker.retry_after import seconds_until
from worker.upstream_error import read_error
from worker.upstream_json import parse_object

KEPT_ERROR_BYTES = 64 * 1024
BAD_REQUEST = 400
UNTOLD_STATUSES = (408, 502, 504)
"""Said by whoever stands before the endpoint, which may be at work on the request all the same."""

TURNED_AWAY = 503
"""Said instead of doing anything, unless its code or its text knows better."""

BROKE_OFF = re.compile(rb"connection termination|remote reset|local reset|protocol error", re.IGNORECASE)
"""How a gateway says in a 503 that it had passed the request on."""

ENDS = ("completed", "incomplete", "failed", "cancelled")


def of_unfit(answer: Answer) -> Problem:
    """The outcome of an answer that came and cannot be judged or kept, whatever is odd about it."""
    raw = answer.body
    if answer.stream is not None:
        raw = json.dumps(answer.stream.response or answer.stream.error or {}).encode()
    return _invalid(answer, raw, "the endpoint's answer came but could not be read")


def of_refused_poll(answer: Answer, *, heard: Call, now: float) -> Problem:
    """The outcome of a poll that the account may not make: the operator must act, the upstream's response goes on."""
    told = _refused(answer, _decoded(answer.body), answer.body, now=now)
    return replace(told, kind=Kind.ACCOUNT, delivery="sent", may_be_billed=False, goes_on=True, upstream=heard.response)


def ended_response(answer: Answer) -> dict[str, Any] | None:
    """The Response in a successful answer, if it has come to one of its ends."""
    if answer.stream is not None:
        return answer.stream.response
    upstream = _decoded(answer.body) if 200 <= answer.http_status < 300 else None
    return upstream if upstream is not None and _end_of(upstream) is not None else None


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
    status = _end_of(upstream)
    if upstream.get("error") and status is None:
        return replace(_refused(answer, upstream, raw, now=now), may_be_billed=True)
    if status is None or not isinstance(upstream.get("output") or [], list):
        return _invalid(answer, raw, "a successful answer that is no ended Response")
    if status == "failed" and (problem := _worth_retrying(answer, upstream, raw, now)):
        return problem
    return Responded(
        status="failed" if status == "cancelled" else status,
        upstream=upstream,
        raw=raw,
        http_status=answer.http_status,
        request_id=request_id_of(answer.headers),
        rates=read_rates(answer.headers, now=now),
    )


def _end_of(upstream: Mapping[str, Any]) -> str | None:
    """The end that a Response has come to; None for one that has not."""
    status = upstream.get("status")
    if status is None and isinstance(upstream.get("output"), list):
        return "completed"
    return status if status in ENDS else None


def _worth_retrying(answer: Answer, upstream: dict[str, Any], raw: bytes, now: float) -> Problem | None:
    """A failed Response whose error is known to pass; one that nobody knows is the model's answer, and was paid for."""
    problem = _refused(answer, upstream, raw, now=now)
    kind = kind_of(http_status=BAD_REQUEST, code=problem.code, message=problem.message)
    return None if kind is Kind.PERMANENT else replace(problem, kind=kind, may_be_billed=True)


def _refused(answer: Answer, upstream: Mapping[str, Any] | None, raw: bytes, *, now: float) -> Problem:
    error, status = read_error(upstream), answer.http_status
    told = _status_told(status, error.code)
    kind = kind_of(http_status=told, code=error.code, message=error.message, param=error.param)
    turned_away = status == TURNED_AWAY and not is_known(error.code) and not BROKE_OFF.search(raw[:KEPT_ERROR_BYTES])
    return Problem(
        kind=kind,
        code=error.code or f"http_{status}",
        message=error.message or f"the endpoint answered {status}",
        delivery="answered",
        may_be_billed=kind is Kind.TRANSIENT and not turned_away,
        unknown=status in UNTOLD_STATUSES or (status >= 500 and upstream is None and not turned_away),
        http_status=status,
        request_id=request_id_of(answer.headers),
        retry_after_seconds=seconds_until(answer.headers, now=now),
        rates=read_rates(answer.headers, now=now),
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
