"""From a validated body to a batch that is accepted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from marshmallow import ValidationError

from api.auth import caller
from api.batch_sameness import checked, earlier, number_for
from api.file_store import FileStore
from api.refusal import Refusal
from api.services import services
from api.webhook_body import webhook_of
from jobs.batches.record import Batch, NewBatch
from jobs.errors import FileNotFound
from jobs.webhooks.target import Webhook
from schemas.file import MOST_EXPIRY_SECONDS

DAY_SECONDS = 86400
PURPOSE = "batch"
STEERING = ("webhook", "completion_window_seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """`anew` is False where an earlier try of the same request had made the batch."""

    batch: Batch
    anew: bool


def create_batch(body: Mapping[str, Any], store: FileStore) -> Created:
    """The batch that a BatchCreateSchema asks for. Raises Refusal, StoreError, ValidationError."""
    new = _new_batch(body)
    made = earlier(new)
    if made is not None:
        return Created(batch=made, anew=False)
    try:
        return Created(batch=as_accepted(checked(services().batches.create(new), new)), anew=True)
    except FileNotFound as error:
        raise _unusable(new.input_file_id, store) from error


def as_accepted(batch: Batch) -> Batch:
    """As it was then: a runner may have been quick, and who begins a batch is promised one that is yet to be read."""
    if batch.status == "validating":
        return batch
    return replace(
        batch,
        status="validating",
        in_progress_at=None,
        finalizing_at=None,
        completed_at=None,
        failed_at=None,
        cancelling_at=None,
        total=0,
        completed=0,
        failed=0,
        lines_read=0,
        model=None,
        errors=(),
        waiting_reason=None,
    )


def _new_batch(body: Mapping[str, Any]) -> NewBatch:
    options, expiry = body.get("respool", {}), body.get("output_expires_after") or {}
    seconds = options.get("completion_window_seconds", DAY_SECONDS)
    return NewBatch(
        number=number_for(caller().project),
        project=caller().project,
        api_key=caller().id,
        input_file_id=body["input_file_id"],
        endpoint=body["endpoint"],
        completion_window="24h" if seconds == DAY_SECONDS else f"{seconds}s",
        window_seconds=seconds,
        output_expires_after_seconds=expiry.get("seconds", MOST_EXPIRY_SECONDS),
        metadata=body.get("metadata") or {},
        options={name: value for name, value in options.items() if name not in STEERING},
        webhook=_webhook(options),
    )


def _webhook(options: Mapping[str, Any]) -> Webhook | None:
    try:
        return webhook_of(options)
    except ValidationError as error:
        raise ValidationError({"respool": error.messages}) from error


def _unusable(file_id: str, store: FileStore) -> Refusal:
    """Why a file cannot be a batch's."""
    try:
        file = store.files.get(file_id, project=caller().project)
        message = f"input_file_id: must be a file of purpose {PURPOSE}, {file_id} is for {file.purpose}"
    except FileNotFound:
        message = f"input_file_id: No such File object: {file_id}"
    return Refusal(400, message, param="input_file_id", code="invalid_value")
