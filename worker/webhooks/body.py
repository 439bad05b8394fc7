"""The bytes of a delivery: the event as it was told, or with the Response in it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from jobs.record import RESPONSE_PREFIX
from jobs.webhooks.deliveries import MOST_RESPONSE_BYTES, DeliveryClaim, Kept
from schemas import response

_END = b"}}"
"""Of the event's `data`, and of the event."""


def composed(claim: DeliveryClaim) -> DeliveryClaim:
    """The claim with the bytes that are sent as its `body`, and without what they were made from."""
    return replace(claim, body=body_of(claim), kept=None)


def body_of(claim: DeliveryClaim) -> bytes:
    """The same bytes for each attempt while the job's end is kept.

    With include "response", `data.response` is the Response, or null if it is no longer kept or larger than
    MOST_RESPONSE_BYTES.
    """
    if claim.include == "id":
        return claim.body
    found = _response(claim.kept) if claim.kept else None
    if found is None or len(found) > MOST_RESPONSE_BYTES:
        found = b"null"
    return claim.body.removesuffix(_END) + b',"response":' + found + _END


def _response(kept: Kept) -> bytes:
    if kept.response is not None:
        return kept.response
    error: dict[str, Any] | None = json.loads(kept.error) if kept.error else None
    whole = response.complete(
        {},
        response_id=RESPONSE_PREFIX + kept.number,
        status=kept.status,
        created_at=kept.created_at,
        completed_at=kept.finished_at,
        request=json.loads(kept.echo),
        error={"code": error["code"], "message": error["message"]} if error else None,
    )
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()
