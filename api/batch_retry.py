"""The failed lines of a batch, sent again as a batch of their own."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from api.auth import caller
from api.batch_creation import PURPOSE, Created
from api.batch_sameness import checked, earlier, number_for
from api.file_store import FileStore
from api.refusal import Refusal
from api.services import services
from jobs.batches.lines import line_number
from jobs.batches.record import Batch, NewBatch
from jobs.errors import BatchNotEnded, FileNotFound, StoreError
from jobs.file_record import File, NewFile
from jobs.files import Files
from jobs.webhooks.target import Webhook
from schemas.batch_line import LINE_PREFIX
from schemas.file import MOST_EXPIRY_SECONDS

TURN_LINES = 500


def retry_batch(batch: Batch, store: FileStore) -> Created:
    """A new batch of the lines that stand in the error file of one that has ended. Raises Refusal, StoreError."""
    if not batch.ended:
        raise BatchNotEnded(batch.status)
    if batch.error_file_id is None:
        raise Refusal(400, "No line of the batch failed.", param="batch_id", code="nothing_to_retry")
    new = _again(batch)
    made = earlier(new)
    if made is not None:
        return Created(batch=made, anew=False)
    file = _written(store.files, batch)
    try:
        made = services().batches.create(replace(new, input_file_id=file.id))
    except StoreError:
        with suppress(StoreError):  # it may have been made, and its file be in use
            store.files.delete(file.id, project=None)
        raise
    if made.input_file_id != file.id:  # the same key came twice at once
        store.files.delete(file.id, project=None)
    return Created(batch=checked(made, new), anew=made.input_file_id == file.id)


def _again(batch: Batch) -> NewBatch:
    """All but its file."""
    return NewBatch(
        number=number_for(batch.project, about=batch.id),
        project=batch.project,
        api_key=caller().id,
        input_file_id="",
        endpoint=batch.endpoint,
        completion_window=batch.completion_window,
        window_seconds=batch.window_seconds,
        output_expires_after_seconds=batch.output_expires_after_seconds,
        metadata=batch.metadata,
        options=batch.options,
        webhook=_webhook(batch),
        retry_of=batch.id,
    )


def _webhook(batch: Batch) -> Webhook | None:
    """As it was, its secret still sealed."""
    if batch.webhook is None:
        return None
    events = batch.webhook.get("events")
    return Webhook(**{**batch.webhook, "events": None if events is None else tuple(events)})


def _failed(files: Files, batch: Batch) -> set[str]:
    """The ids of the lines of the error file."""
    return {json.loads(line)["id"] for line in _lines(files, str(batch.error_file_id), batch)}


def _written(files: Files, batch: Batch) -> File:
    """A file of the failed lines of the batch's input, byte for byte."""
    failed = _failed(files, batch)
    new = NewFile(
        project=batch.project,
        purpose=PURPOSE,
        filename=f"{batch.id}_retry.jsonl",
        expires_after_seconds=MOST_EXPIRY_SECONDS,
    )
    with files.arriving(batch.project) as arrival:
        for number, line in enumerate(_lines(files, batch.input_file_id, batch), start=1):
            if LINE_PREFIX + line_number(batch.number, number) in failed:
                arrival.bytes.write(line if line.endswith(b"\n") else line + b"\n")
        return files.keep(new, arrival)


def _lines(files: Files, file_id: str, batch: Batch) -> Iterator[bytes]:
    """Raises a Refusal of 400 for a file that is no longer kept."""
    try:
        file = files.open(files.get(file_id, project=batch.project))
    except FileNotFound as error:
        message = f"The batch can no longer be sent again: its file {file_id} is gone."
        raise Refusal(400, message, param="batch_id", code="file_gone") from error
    with file:
        for number, line in enumerate(file):
            if number % TURN_LINES == 0:
                time.sleep(0)  # other requests of this process have their turns
            yield line
