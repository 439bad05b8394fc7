"""What makes two creates one batch, so that a repeat costs nothing: their key, or an SDK that repeats itself."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator

from flask import request

from api.services import services
from api.submission import idempotency_key
from jobs.batches.record import BATCH_PREFIX, Batch, NewBatch
from jobs.errors import BatchNotFound, IdempotencyConflict
from jobs.record import new_number

REPEAT_SECONDS = 15 * 60.0
"""In which an SDK's repeat without a key finds what its first try made."""

MOST_LOOKED_AT = 100
COMPARED = (
    "endpoint", "window_seconds", "output_expires_after_seconds", "metadata", "options", "retry_of",
)  # fmt: skip


def number_for(project: str, *, about: str = "") -> str:
    """The number of a new batch: with an Idempotency-Key, which is used for `about`, the same one again."""
    key = idempotency_key()
    if key is None:
        return new_number()
    return hashlib.sha256("\n".join(("batch", project, about, key)).encode()).hexdigest()[:32]


def earlier(new: NewBatch) -> Batch | None:
    """The batch that another try of the same create made. Raises IdempotencyConflict, StoreUnavailable."""
    if idempotency_key() is None:
        return next((batch for batch in _recent(new.project) if is_same(batch, new)), None)
    try:
        return checked(services().batches.get(BATCH_PREFIX + new.number, project=None), new)
    except BatchNotFound:
        return None


def checked(batch: Batch, new: NewBatch) -> Batch:
    """The batch, which has to be what `new` asks for. Raises IdempotencyConflict."""
    if not is_same(batch, new):
        raise IdempotencyConflict(batch.id)
    return batch


def is_same(batch: Batch, new: NewBatch) -> bool:
    """Whether they ask for the same work. The file of a retry is written anew each time."""
    if new.retry_of is None and batch.input_file_id != new.input_file_id:
        return False
    url, other = (batch.webhook or {}).get("url"), new.webhook.url if new.webhook else None
    return url == other and all(getattr(batch, name) == getattr(new, name) for name in COMPARED)


def _recent(project: str) -> Iterator[Batch]:
    """What the first try of a request may have made, where an SDK says that this is its repeat."""
    if request.headers.get("x-stainless-retry-count", "0") in ("", "0"):
        return
    begun = time.time() - REPEAT_SECONDS
    page = services().batches.page(project=project, limit=MOST_LOOKED_AT, after=None)
    yield from (batch for batch in page.batches if batch.created_at > begun)
