"""A job on the wire: how it is asked for, how it is handed out, alone and in lists."""

from typing import Any, cast

from schemas.base import Base
from schemas.bounds import OneOf, Range
from schemas.fields import Boolean, Integer, List, Number, Object, String
from schemas.options import Metadata
from schemas.request import CreateResponseSchema, UnknownFields, request_schema
from schemas.response_document import ResponseSchema
from schemas.usage import UsageSchema

STATUSES = ("queued", "in_progress", "completed", "failed", "incomplete", "cancelled")
TERMINAL = frozenset({"completed", "failed", "incomplete", "cancelled"})
ON_UNKNOWN = ("retry", "fail")
OUTCOMES = ("running", "completed", "incomplete", "failed", "snoozed", "cancelled", "lost")
DELIVERIES = ("not_sent", "sent", "answered")
MAX_ATTEMPTS = 100
MAX_QUEUE_DEADLINE_SECONDS = 30 * 24 * 3600
MAX_RUN_TIMEOUT_SECONDS = 24 * 3600


def seconds(*, at_most: int) -> Number:
    """A length of time above zero; fractions are fine."""
    bounds = Range(min=0, min_inclusive=False, max=at_most)
    return Number(validate=bounds, metadata={"exclusiveMinimum": 0})


def moment(**options: Any) -> Number:
    return Number(metadata={"description": "Unix seconds."}, **options)


class JobCreateSchema(Base):
    """A request to be worked on in the background, and how hard to try."""

    request = Object(CreateResponseSchema, required=True)
    metadata = Metadata(allow_none=True, metadata={"description": "The request's own if left out."})
    max_attempts = Integer(validate=Range(min=1, max=MAX_ATTEMPTS))
    on_unknown = String(
        validate=OneOf(ON_UNKNOWN, noun="policy"),
        metadata={"description": "What happens if nobody can know whether the endpoint did the work."},
    )
    queue_deadline_seconds = seconds(at_most=MAX_QUEUE_DEADLINE_SECONDS)
    run_timeout_seconds = seconds(at_most=MAX_RUN_TIMEOUT_SECONDS)


def job_create_schema(models: frozenset[str] | None, unknown: UnknownFields) -> JobCreateSchema:
    """The schema of a job whose request follows `request_schema(models, unknown)`.

    Unknown fields of the job itself are refused in any case: there is nobody to forward them to.
    """
    request = Object(request_schema(models, unknown), required=True)
    schema = JobCreateSchema.from_dict({"request": request}, name="JobCreateSchema")
    # A copy keeps its name in the description of the API; marshmallow types it as any schema.
    return cast(JobCreateSchema, schema())


class AttemptErrorSchema(Base):
    code = String(required=True)
    message = String(required=True)


class JobErrorSchema(Base):
    """Why a job ended without a response, and whether asking again may help."""

    code = String(required=True)
    message = String(required=True)
    retryable = Boolean(required=True)


class AttemptSchema(Base):
    """One call of the endpoint."""

    number = Integer(required=True, validate=Range(min=1))
    started_at = moment(required=True)
    finished_at = moment(required=True, allow_none=True)
    worker = String(required=True, allow_none=True)
    outcome = String(required=True, validate=OneOf(OUTCOMES, noun="outcome"))
    delivery = String(required=True, validate=OneOf(DELIVERIES), metadata={"description": "How far the request got."})
    upstream_request_id = String(required=True, allow_none=True)
    upstream_response_id = String(required=True, allow_none=True)
    http_status = Integer(required=True, allow_none=True)
    may_be_billed = Boolean(required=True)
    usage = Object(UsageSchema, required=True, allow_none=True)
    error = Object(AttemptErrorSchema, required=True, allow_none=True)


class JobSchema(Base):
    """A job as it is handed out."""

    id = String(required=True)
    object = String(required=True, validate=OneOf(("job",)))
    status = String(required=True, validate=OneOf(STATUSES, noun="status"))
    created_at = moment(required=True)
    started_at = moment(required=True, allow_none=True)
    finished_at = moment(required=True, allow_none=True)
    expires_at = moment(required=True, allow_none=True)
    model = String(required=True)
    project = String(required=True)
    api_key = String(required=True, allow_none=True, metadata={"description": "The id of the key, not the key."})
    attempts = List(Object(AttemptSchema), required=True)
    attempts_spent = Integer(required=True, validate=Range(min=0))
    max_attempts = Integer(required=True, validate=Range(min=1, max=MAX_ATTEMPTS))
    on_unknown = String(required=True, validate=OneOf(ON_UNKNOWN, noun="policy"))
    queue_deadline_seconds = Number(required=True, allow_none=True)
    run_timeout_seconds = Number(required=True, allow_none=True)
    waiting_reason = String(required=True, allow_none=True)
    usage = Object(UsageSchema, required=True, allow_none=True)
    response = Object(ResponseSchema, required=True, allow_none=True)
    error = Object(JobErrorSchema, required=True, allow_none=True)
    metadata = Metadata(required=True)


class JobListSchema(Base):
    """Jobs, newest first; `after=last_id` asks for the next ones while `has_more` is true."""

    object = String(required=True, validate=OneOf(("list",)))
    data = List(Object(JobSchema), required=True)
    first_id = String(required=True, allow_none=True)
    last_id = String(required=True, allow_none=True)
    has_more = Boolean(required=True)
