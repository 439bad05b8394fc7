"""An event that tells of nothing: it shows whether a webhook endpoint hears and verifies."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from jobs.batches.record import BATCH_PREFIX
from jobs.record import JOB_PREFIX, RESPONSE_PREFIX, new_number
from schemas.event import BATCH_EVENTS

EVENT_PREFIX = "evt_"
DISABLED = "webhook_endpoint.disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """`about` is the id of what it seems to be about; `own` is `data.respool`, as JSON."""

    id: str
    about: str
    own: str


def trial_of(type: str, *, project: str, endpoint_id: str) -> Trial:
    """Of the same shape as a real event of the type, about nothing that exists; `data.respool.test` is true."""
    number = new_number()
    own: dict[str, Any] = {"test": True, "project": project}
    if type == DISABLED:
        about, own = endpoint_id, own | {"origin": None, "reason": "by_request"}
    elif type in BATCH_EVENTS:
        about, own = BATCH_PREFIX + number, own | _of_batch(BATCH_PREFIX + number)
    else:
        error = {"code": "test", "message": "this is a test"} if type == "response.failed" else None
        told = {"job_id": JOB_PREFIX + number, "model": "test", "metadata": {}, "error": error, "usage": None}
        about, own = RESPONSE_PREFIX + number, own | told
    return Trial(id=f"{EVENT_PREFIX}{number}00", about=about, own=json.dumps(own))


def _of_batch(batch_id: str) -> dict[str, Any]:
    return {
        "batch_id": batch_id,
        "model": "test",
        "metadata": {},
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
        "output_file_id": None,
        "error_file_id": None,
        "usage": None,
        "errors": None,
    }
