"""A batch on the wire: a file of requests, each answered as a response is; how it is asked for, and how it is shown."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from schemas.base import Base, Open
from schemas.bounds import Length, OneOf, Range
from schemas.estimate import amount
from schemas.event import BATCH_EVENTS
from schemas.fields import Boolean, FreeObject, Integer, List, Object, String
from schemas.file import LEAST_EXPIRY_SECONDS, MOST_EXPIRY_SECONDS
from schemas.job import STATUSES as JOB_STATUSES
from schemas.options import Metadata
from schemas.respool_options import Accounts, RespoolOptionsSchema, account_field
from schemas.usage import UsageSchema
from schemas.webhook import WebhookSchema, included, signing_secret, target, wanted

ENDPOINTS = ("/v1/responses",)
WINDOWS = ("24h",)
MOST_WINDOW_SECONDS = 7 * 86400
STATUSES = (
    "validating", "failed", "in_progress", "finalizing", "completed", "expired", "cancelling", "cancelled",
)  # fmt: skip
TIMES = (
    "in_progress_at", "expires_at", "finalizing_at", "completed_at", "failed_at", "expired_at", "cancelling_at",
    "cancelled_at",
)  # fmt: skip
MOST_ID_CHARACTERS = 64
DEFAULT_PRIORITY = 0
"""Of lines, among themselves: jobs that were asked for otherwise go before all of them."""


class BatchWebhookCreateSchema(Base):
    """Where the batch's own events go; its lines have none."""

    url = target(required=True)
    secret = signing_secret()
    events = wanted(BATCH_EVENTS)


class BatchOptionsSchema(RespoolOptionsSchema):
    """What each line has that does not say otherwise in its own `respool`; `webhook` is the batch's."""

    completion_window_seconds = Integer(
        validate=Range(min=1, max=MOST_WINDOW_SECONDS),
        metadata={"description": "How long lines may wait, in place of `completion_window`."},
    )
    webhook = Object(BatchWebhookCreateSchema, allow_none=True)


class ExpiresAfterSchema(Base):
    anchor = String(required=True, validate=OneOf(("created_at",), noun="anchor"))
    seconds = Integer(required=True, validate=Range(min=LEAST_EXPIRY_SECONDS, max=MOST_EXPIRY_SECONDS))


class BatchCreateSchema(Base):
    """`completion_window` may be left out where `respool` says one in seconds, which goes before it in any case."""

    input_file_id = String(required=True, validate=Length("characters", min=1, max=MOST_ID_CHARACTERS))
    endpoint = String(required=True, validate=OneOf(ENDPOINTS, noun="endpoint"))
    completion_window = String(validate=OneOf(WINDOWS, noun="window"))
    metadata = Metadata(allow_none=True)
    output_expires_after = Object(ExpiresAfterSchema, allow_none=True)
    respool = Object(BatchOptionsSchema)

    def rules(self, data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        options = data.get("respool")
        in_seconds = isinstance(options, dict) and "completion_window_seconds" in options
        if "completion_window" not in data and not in_seconds:
            yield "completion_window", "is required"


def batch_create_schema(accounts: Accounts) -> type[BatchCreateSchema]:
    """The body of a create, whose lines may be pinned to one of `accounts`."""
    options = BatchOptionsSchema.from_dict({"account": account_field(accounts)}, name="BatchOptionsSchema")
    # A copy keeps its name in the description of the API; marshmallow types it as any schema.
    kind = BatchCreateSchema.from_dict({"respool": Object(options)}, name="BatchCreateSchema")
    return cast(type[BatchCreateSchema], kind)


class BatchMistakeSchema(Base):
    code = String(required=True)
    line = Integer(required=True, allow_none=True)
    message = String(required=True)
    param = String(required=True, allow_none=True)


class BatchMistakeListSchema(Base):
    object = String(required=True, validate=OneOf(("list",)))
    data = List(Object(BatchMistakeSchema), required=True)


class RequestCountsSchema(Base):
    """`total` is 0 until the file is validated."""

    total = Integer(required=True)
    completed = Integer(required=True)
    failed = Integer(required=True)


class BatchWebhookSchema(WebhookSchema):
    events = wanted(BATCH_EVENTS, required=True)
    include = included(required=True)


class BatchRespoolSchema(Open):
    """What the protocol has no word for; `options` are those that lines have without saying so."""

    project = String(required=True)
    lines_submitted = Integer(required=True, metadata={"description": "Of `total`, those that were taken up so far."})
    waiting_reason = String(
        required=True, allow_none=True, metadata={"description": "Why no further lines are taken up at present."}
    )
    completion_window_seconds = Integer(required=True)
    priority = Integer(required=True)
    options = FreeObject(required=True)
    retry_of = String(
        required=True, allow_none=True, metadata={"description": "The batch whose failed lines these are."}
    )
    cost = amount()
    currency = String(required=True)
    webhook = Object(BatchWebhookSchema, required=True, allow_none=True)


def _second(**options: Any) -> Integer:
    return Integer(required=True, metadata={"description": "Unix seconds."}, **options)


class BatchSchema(Base):
    id = String(required=True)
    object = String(required=True, validate=OneOf(("batch",)))
    endpoint = String(required=True)
    model = String(required=True, allow_none=True)
    errors = Object(
        BatchMistakeListSchema, required=True, allow_none=True, metadata={"description": "What is wrong with the file."}
    )
    input_file_id = String(required=True)
    completion_window = String(required=True)
    status = String(required=True, validate=OneOf(STATUSES, noun="status"))
    output_file_id = String(required=True, allow_none=True)
    error_file_id = String(required=True, allow_none=True)
    created_at = _second()
    in_progress_at = _second(allow_none=True)
    expires_at = _second(allow_none=True)
    finalizing_at = _second(allow_none=True)
    completed_at = _second(allow_none=True)
    failed_at = _second(allow_none=True)
    expired_at = _second(allow_none=True)
    cancelling_at = _second(allow_none=True)
    cancelled_at = _second(allow_none=True)
    request_counts = Object(RequestCountsSchema, required=True)
    usage = Object(UsageSchema, required=True, allow_none=True)
    metadata = Metadata(required=True)
    respool = Object(BatchRespoolSchema, required=True)


class BatchListSchema(Base):
    object = String(required=True, validate=OneOf(("list",)))
    data = List(Object(BatchSchema), required=True)
    first_id = String(required=True, allow_none=True)
    last_id = String(required=True, allow_none=True)
    has_more = Boolean(required=True)


class LineResponseSchema(Base):
    status_code = Integer(required=True)
    request_id = String(required=True)
    body = FreeObject(required=True)


class LineErrorSchema(Base):
    code = String(required=True)
    message = String(required=True)


class BatchLineSchema(Base):
    """A line that was taken up; once it has ended, `response` and `error` are as the batch's files have them."""

    object = String(required=True, validate=OneOf(("batch.line",)))
    id = String(required=True)
    line = Integer(required=True, metadata={"description": "Counted from 1."})
    custom_id = String(required=True)
    status = String(required=True, validate=OneOf(JOB_STATUSES, noun="status"))
    job_id = String(
        required=True, allow_none=True, metadata={"description": "null: the request was refused, so no job was made."}
    )
    response_id = String(required=True, allow_none=True)
    response = Object(LineResponseSchema, required=True, allow_none=True)
    error = Object(LineErrorSchema, required=True, allow_none=True)


class BatchLineListSchema(Base):
    """In the order of the file; `after=cursor` asks for what comes next. A page may be short with more behind it."""

    object = String(required=True, validate=OneOf(("list",)))
    data = List(Object(BatchLineSchema), required=True)
    cursor = Integer(required=True)
    has_more = Boolean(required=True)
