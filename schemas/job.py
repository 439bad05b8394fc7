"""A job on the wire: how it is asked for, how it is handed out, alone and in lists."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from marshmallow import fields

from schemas.attempt import AttemptSchema, moment
from schemas.base import Base
from schemas.bounds import OneOf, Range
from schemas.estimate import EtaSchema, ahead, amount, place
from schemas.fields import Boolean, Integer, List, Number, Object, String
from schemas.options import Metadata
from schemas.request import CreateResponseSchema, UnknownFields, request_schema
from schemas.response_document import ResponseSchema
from schemas.respool_options import (
    MAX_ATTEMPTS,
    ON_UNKNOWN,
    Accounts,
    RespoolOptionsSchema,
    account_field,
    account_lacks_model,
)
from schemas.usage import UsageSchema
from schemas.webhook import WebhookSchema

STATUSES = ("queued", "in_progress", "completed", "failed", "incomplete", "cancelled")
TERMINAL = frozenset({"completed", "failed", "incomplete", "cancelled"})


class JobCreateSchema(RespoolOptionsSchema):
    """A request to be worked on in the background, and how hard to try; an option may also stand in its `respool`."""

    request = Object(CreateResponseSchema, required=True)
    metadata = Metadata(allow_none=True, metadata={"description": "The request's own if left out."})

    def rules(self, data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        request = data.get("request")
        model = request.get("model") if isinstance(request, dict) else None
        for message in account_lacks_model(model, data, self.accounts):
            yield "account", message


def job_create_schema(
    models: frozenset[str] | None, unknown: UnknownFields, *, accounts: Accounts | None = None
) -> JobCreateSchema:
    """The schema of a job whose request follows `request_schema(models, unknown)`; `accounts` are those it may name.

    Unknown fields of the job itself are refused in any case: there is nobody to forward them to.
    """
    given: dict[str, Any] = {"request": Object(request_schema(models, unknown, accounts=accounts), required=True)}
    if accounts is not None:
        given["account"] = account_field(accounts)
    # A copy keeps its name in the description of the API; marshmallow types it as any schema.
    kind = cast(type[JobCreateSchema], JobCreateSchema.from_dict(given, name="JobCreateSchema"))
    kind.accounts = accounts or {}
    return kind()


def asked_request(schema: JobCreateSchema) -> CreateResponseSchema:
    """The schema of the request inside, for where it comes alone."""
    return cast(CreateResponseSchema, cast(Object, schema.fields["request"]).schema)


class JobErrorSchema(Base):
    """Why a job ended without a response, and whether asking again may help."""

    code = String(required=True)
    message = String(required=True)
    retryable = Boolean(required=True)


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
    priority = Integer(required=True)
    account = String(
        required=True, allow_none=True, metadata={"description": "That of the last attempt; null before the first."}
    )
    waiting_reason = String(required=True, allow_none=True)
    position = place()
    jobs_ahead = ahead()
    eta = Object(EtaSchema, required=True, allow_none=True)
    estimated_tokens = Integer(required=True)
    cost = amount()
    currency = String(required=True)
    usage = Object(UsageSchema, required=True, allow_none=True)
    response: fields.Field[Any] = Object(ResponseSchema, required=True, allow_none=True)
    error = Object(JobErrorSchema, required=True, allow_none=True)
    webhook = Object(WebhookSchema, required=True, allow_none=True)
    metadata = Metadata(required=True)


class PolledJobSchema(JobSchema):
    """A job as a poll hands it out."""

    response = fields.Raw(
        required=True,
        allow_none=True,
        metadata={
            "description": "With `raw=true` what the upstream sent: any JSON, or its text where it is none.",
            "anyOf": [{"$ref": "#/components/schemas/Response"}, {}],
        },
    )


class JobListSchema(Base):
    """Jobs, newest first; `after=last_id` asks for the next ones
    while `has_more` is true, also where a page is short.
    """

    object = String(required=True, validate=OneOf(("list",)))
    data = List(Object(JobSchema), required=True)
    first_id = String(required=True, allow_none=True)
    last_id = String(required=True, allow_none=True)
    has_more = Boolean(required=True)
    left_out = List(
        String(), required=True, metadata={"description": "Ids that a newer release wrote, which this one cannot read."}
    )
