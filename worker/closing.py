"""How an attempt went, as its entry in the job's record shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobs.closings import MOST_TOKENS, Closing
from jobs.prices import Price
from schemas.usage import complete_usage
from worker.outcome import Problem, Responded

ID_CHARACTERS = 256


def of_response(responded: Responded, *, usage: Mapping[str, Any] | None, price: Price | None) -> Closing:
    """`usage` is complete and believed; `price` is None where the model has none."""
    return Closing(
        outcome=responded.status,
        delivery="answered",
        may_be_billed=True,
        http_status=responded.http_status,
        upstream_request_id=responded.request_id,
        upstream_response_id=_id(responded.upstream),
        usage=usage,
        nano=_nano(usage, price),
    )


def of_problem(problem: Problem, how: str, *, price: Price | None) -> Closing:
    """`how` is the attempt's outcome: failed or snoozed."""
    usage = believed(complete_usage(problem.upstream.get("usage")))
    return Closing(
        outcome=how,
        delivery=problem.delivery,
        may_be_billed=problem.may_be_billed,
        http_status=problem.http_status,
        upstream_request_id=problem.request_id,
        upstream_response_id=_id(problem.upstream),
        usage=usage,
        nano=_nano(usage, price),
        error={"code": problem.code, "message": problem.message},
        kind=problem.kind.value,
    )


def unsent() -> Closing:
    """The job ended, or went elsewhere, before anything was sent."""
    return Closing(outcome="lost", delivery="not_sent", may_be_billed=False, kind="unsent")


def believed(usage: dict[str, Any] | None) -> dict[str, Any] | None:
    """The usage with every number brought down to MOST_TOKENS, so that whoever sums it up can hold the sums."""
    return None if usage is None else {name: _believed(count) for name, count in usage.items()}


def _believed(count: Any) -> Any:
    match count:
        case int() | float() if count > MOST_TOKENS:
            return MOST_TOKENS
        case dict():
            return believed(count)
        case _:
            return count


def _nano(usage: Mapping[str, Any] | None, price: Price | None) -> int:
    return 0 if usage is None or price is None else price.nano(usage)


def _id(upstream: Mapping[str, Any]) -> str | None:
    told = upstream.get("id")
    return told[:ID_CHARACTERS] if isinstance(told, str) else None
