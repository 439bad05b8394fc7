"""What an attempt came to: a Response to keep, or a problem of a known kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from worker import calls
from worker.calls import Call
from worker.errors import CallError, FileGone, HungUp, Unreachable
from worker.rate_headers import NOT_TOLD, Rates
from worker.refusals import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Responded:
    """The upstream gave a Response: `upstream` as decoded, `raw` as sent (of a stream, the final event's)."""

    status: str
    upstream: Mapping[str, Any]
    raw: bytes
    http_status: int
    request_id: str | None
    rates: Rates = NOT_TOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """No Response to keep. `delivery` is not_sent, sent or answered; `unknown`: nobody can know if it was done;
    `goes_on`: the upstream works on, and can be asked again by the id in `upstream`.
    """

    kind: Kind
    code: str
    message: str
    delivery: str
    may_be_billed: bool
    unknown: bool = False
    http_status: int | None = None
    request_id: str | None = None
    retry_after_seconds: float | None = None
    rates: Rates = NOT_TOLD
    goes_on: bool = False
    upstream: Mapping[str, Any] = field(default_factory=dict)
    raw: bytes | None = None


Outcome = Responded | Problem


def of_error(error: CallError, *, heard: Call | None = None) -> Problem:
    """The outcome of a call that brought no whole answer; `heard` has what came of it before it broke."""
    return Problem(
        kind=_kind(error),
        code=error.code,
        message=str(error),
        delivery="sent" if error.sent else "not_sent",
        may_be_billed=error.sent,
        unknown=error.sent,
        http_status=heard.http_status if heard else None,
        request_id=heard.request_id if heard else None,
        upstream=heard.response if heard else {},
    )


def _kind(error: CallError) -> Kind:
    match error:
        case Unreachable():
            return Kind.ENDPOINT
        case FileGone():
            return Kind.PERMANENT
        case _:
            return Kind.TRANSIENT


def of_hanging_up(ended: HungUp, *, heard: Call, seconds: float) -> Problem:
    """The outcome of a call that we ended ourselves; `seconds` is what it was given.

    Whatever goes on upstream is charged to the attempt that sees its end.
    """
    if ended.why == calls.OUT_OF_TIME:
        message = f"the call took longer than run_timeout_seconds ({seconds:g})"
        return replace(of_error(ended, heard=heard), code="run_timeout", message=message)
    message = "the call was called off: its job had ended or a later attempt at it had begun"
    problem = replace(of_error(ended, heard=heard), code="called_off", message=message)
    return replace(problem, may_be_billed=problem.may_be_billed and not ended.goes_on)
