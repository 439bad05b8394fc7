"""From a line of a batch to a job, or to why it becomes none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from marshmallow import ValidationError

from jobs.asked import Asked, of_response
from jobs.batches.input_file import RawLine
from jobs.batches.input_line import LineRequest, read_line
from jobs.batches.lines import line_number
from jobs.batches.record import Batch
from jobs.errors import OverLimit, RequestRefused
from jobs.intake import Intake
from jobs.new_job import BatchLine, NewJob
from schemas.error import error_body, flatten, mistakes_body
from schemas.request import CreateResponseSchema
from schemas.respool_options import MAX_RUN_TIMEOUT_SECONDS

LEAST_SECONDS = 0.001
MOST_MISTAKES = 5
SLACK_SECONDS = 86400.0
"""A result is kept for so long after the last moment at which its batch might still wait for another; what was asked
holds as soon as the batch has ended."""

LINE_SECONDS = 0.001
"""By so much a line goes behind the one before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A line that becomes no job; `body` is the protocol's error object."""

    custom_id: str
    status_code: int
    body: Mapping[str, Any]

    def as_record(self) -> dict[str, Any]:
        return {"custom_id": self.custom_id, "status_code": self.status_code, "body": self.body}


class LineIntake:
    def __init__(self, schema: CreateResponseSchema, intake: Intake) -> None:
        self._schema = schema
        self._intake = intake

    def taken(self, batch: Batch, raw: RawLine, *, now: float) -> NewJob | Refused:
        """What becomes of a line of a valid file; `now` is in seconds. Raises StoreUnavailable."""
        line = read_line(raw.data or b"", endpoint=batch.endpoint)
        try:
            asked = replace(of_response(self._valid(line, batch.options)), request_at="body.")
            job = self._intake.new_job(asked, project=batch.project, api_key=batch.api_key)
        except ValidationError as error:
            body = mistakes_body(flatten({"body": error.messages}), code="invalid_value")
            return _refused(line, 400, body)
        except RequestRefused as error:
            return _refused(line, error.status, error.body)
        return _as_line(job, batch, asked, BatchLine(batch=batch.number, line=raw.line, custom_id=line.custom_id), now)

    def _valid(self, line: LineRequest, defaults: Mapping[str, Any]) -> Mapping[str, Any]:
        """The request, with the batch's options where it has none of its own. Raises ValidationError."""
        own = line.body.get("respool")
        own = {} if own is None else own
        if line.body.get("stream"):
            raise ValidationError({"stream": ["must not be true in a batch"]})
        if isinstance(own, dict) and own.get("webhook") is not None:
            raise ValidationError({"respool": {"webhook": ["must not stand in a line: the batch has one for all"]}})
        options = {"priority": 0, **defaults, **own} if isinstance(own, dict) else own
        request = {name: value for name, value in line.body.items() if name != "background"}
        valid: Mapping[str, Any] = self._schema.load({**request, "respool": options})
        return valid


def _refused(line: LineRequest, status_code: int, body: Mapping[str, Any]) -> Refused:
    """With its first mistakes: each line's are kept until some time after the batch."""
    if "errors" in body:
        body = {**body, "errors": body["errors"][:MOST_MISTAKES]}
    return Refused(custom_id=line.custom_id, status_code=status_code, body=body)


def too_much(job: NewJob, limit: OverLimit) -> Refused:
    """A line that alone is more than its project may ever take."""
    message = f"This alone is estimated to take more than the project's {limit.limit} of {limit.bound}."
    body = error_body(message, type="rate_limit_error", code=limit.limit)
    return Refused(custom_id=job.line.custom_id if job.line else "", status_code=429, body=body)


def _as_line(job: NewJob, batch: Batch, asked: Asked, line: BatchLine, now: float) -> NewJob:
    """It waits no longer than the batch does, counts as submitted at the end of that time, and is kept until the files
    of the batch are written, however short the retention is."""
    left = max(LEAST_SECONDS, batch.expires_at - now)
    needed = left + MAX_RUN_TIMEOUT_SECONDS + SLACK_SECONDS
    asked_retention = job.retention_seconds if job.retention_seconds < needed else None
    return replace(
        job,
        trail=batch.trail,
        number=line_number(batch.number, line.line),
        queue_deadline_seconds=min(job.queue_deadline_seconds or left, left),
        retention_seconds=max(job.retention_seconds, needed),
        later_seconds=left + line.line * LINE_SECONDS,
        line=replace(line, stored=asked.stored, asked_retention_seconds=asked_retention),
    )
