"""The Response handed out: complete, in the protocol's own terms, whatever the endpoint sent."""

from collections.abc import Mapping
from typing import Any

from schemas.echo import echoed, unsaid
from schemas.output import complete_output
from schemas.response_extras import misfits
from schemas.response_failure import complete_error, complete_incompleteness
from schemas.usage import complete_usage

__all__ = ["complete", "complete_usage"]


def complete(
    upstream: Mapping[str, Any],
    *,
    response_id: str,
    status: str,
    created_at: float,
    completed_at: float | None,
    request: Mapping[str, Any],
    error: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The whole Response under our id; times are Unix seconds.

    `upstream` is the endpoint's answer ({} before there is one), read leniently: a field that is absent or of
    another type gets the request's value or the protocol's. Fields of the endpoint's own are kept; what has no
    place in the protocol's types stands under `respool`: the caller's wishes in `request`, the rest in `upstream`.
    """
    foreign = misfits(upstream)
    asked = unsaid(request)
    whole = {name: found for name, found in upstream.items() if name not in foreign}
    whole |= {
        "id": response_id,
        "object": "response",
        "created_at": int(created_at),
        "completed_at": int(completed_at) if status == "completed" and completed_at is not None else None,
        "status": status,
        "background": _flag(request, "background"),
        "store": _flag(request, "store"),
        "error": _error(error, upstream, status),
        "incomplete_details": _incomplete_details(upstream, status),
        "output": complete_output(upstream.get("output"), response_id=response_id, status=status),
        "usage": complete_usage(upstream.get("usage")),
        **echoed(upstream, request),
    }
    return _with_own(whole, {"request": asked, "upstream": foreign})


def _flag(request: Mapping[str, Any], name: str) -> bool:
    return request.get(name) is not False


def _error(error: Mapping[str, Any] | None, upstream: Mapping[str, Any], status: str) -> dict[str, Any] | None:
    if error is not None:
        return complete_error(error)
    return complete_error(upstream.get("error")) if status == "failed" else None


def _incomplete_details(upstream: Mapping[str, Any], status: str) -> dict[str, Any] | None:
    return complete_incompleteness(upstream.get("incomplete_details")) if status == "incomplete" else None


def _with_own(whole: dict[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The response with what is ours to say, beside what may stand in `respool` already."""
    said = {name: found for name, found in own.items() if found}
    if said:
        given = whole.get("respool")
        whole["respool"] = {**given, **said} if isinstance(given, Mapping) else said
    return whole
