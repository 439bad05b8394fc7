"""What a caller asks for, by whichever door: the request, and what is wanted of this service besides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobs.record import RESPONSE_PREFIX, number_of
from schemas.respool_options import DEFAULT_PRIORITY

_no_options = ("request", "metadata")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """`request` is shown again; `options` are as RespoolOptionsSchema has them and stand at `options_at` of `body`,
    which tells one submit from another. The request stands at `request_at` of it.

    What is not `stored` goes once it has been answered. Where its `previous_response_id` is not `ours`, it is left
    to the endpoint.
    """

    body: Mapping[str, Any]
    request: Mapping[str, Any]
    options: Mapping[str, Any]
    metadata: Mapping[str, str]
    request_at: str = ""
    options_at: Sequence[str] = ()
    stored: bool = True
    ours: bool = True

    @property
    def priority(self) -> int:
        return int(self.options.get("priority", DEFAULT_PRIORITY))


def of_job(body: Mapping[str, Any]) -> Asked:
    """From a body that is valid by JobCreateSchema. What stands beside the request goes before its own `respool`."""
    request, beside = body["request"], {name: value for name, value in body.items() if name not in _no_options}
    metadata = body.get("metadata") if body.get("metadata") is not None else request.get("metadata")
    return Asked(
        body=body,
        request=request,
        options={**(request.get("respool") or {}), **beside},
        metadata=metadata or {},
        request_at="request.",
        options_at=() if "webhook" in beside else ("request", "respool"),
        ours=number_of(request.get("previous_response_id") or "", RESPONSE_PREFIX) is not None,
    )


def of_response(body: Mapping[str, Any]) -> Asked:
    """From a body that is valid by CreateResponseSchema."""
    request = {**body, "background": bool(body.get("background"))}
    return Asked(
        body=request,
        request=request,
        options=request.get("respool") or {},
        metadata=request.get("metadata") or {},
        options_at=("respool",),
        stored=request.get("store") is not False,
    )
