"""A job on the wire: how it is asked for, how it is handed out, alone and in lists."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, TypeAlias, cast

from schemas.attempt import AttemptSchema, moment
from schemas.base import Base
from schemas.bounds import Length, OneOf, Range
from schemas.estimate import EtaSchema, ahead, amount, place
from schemas.fields import Boolean, Integer, List, Number, Object, String
from schemas.mistakes import shown
from schemas.options import Metadata
from schemas.request import CreateResponseSchema, UnknownFields, request_schema
from schemas.response_document import ResponseSchema
from schemas.unions import Either
from schemas.usage import UsageSchema
from schemas.webhook import WebhookCreateSchema, WebhookSchema

STATUSES = ("queued", "in_progress", "completed", "failed", "incomplete", "cancelled")
TERMINAL = frozenset({"completed", "failed", "incomplete", "cancelled"})
ON_UNKNOWN = ("retry", "fail")
PRIORITIES = range(10)
DEFAULT_PRIORITY = 5
MAX_ATTEMPTS = 100
MAX_QUEUE_DEADLINE_SECONDS = 30 * 24 * 3600
MAX_RUN_TIMEOUT_SECONDS = 24 * 3600
MAX_VIDEO_SECONDS = 24 * 3600
MAX_VIDEOS = 100
MAX_ESTIMATED_TOKENS = 10_000_000


def seconds(*, at_most: int) -> Number:
    """A length of time above zero; fractions are fine."""
    bounds = Range(min=0, min_inclusive=False, max=at_most)
    return Number(validate=bounds, metadata={"exclusiveMinimum": 0})


Accounts: TypeAlias = Mapping[str, frozenset[str] | None]
"""The models of each upstream account by its name; None: any."""


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
    priority = Integer(
        validate=Range(min=PRIORITIES[0], max=PRIORITIES[-1]),
        metadata={
            "description": f"Higher goes first: a step is worth some time of waiting. {DEFAULT_PRIORITY} if left out."
        },
    )
    account = String(
        metadata={"description": "Pins the job to one upstream account; any that has the model if left out."}
    )
    video_seconds = Either(
        seconds(at_most=MAX_VIDEO_SECONDS),
        List(seconds(at_most=MAX_VIDEO_SECONDS), validate=Length("numbers", min=1, max=MAX_VIDEOS)),
        metadata={"description": "Length of all videos, or of each in the order of the input; for the estimate."},
    )
    estimated_tokens = Integer(
        validate=Range(min=1, max=MAX_ESTIMATED_TOKENS),
        metadata={"description": "Input and output together, in place of what the service would estimate."},
    )
    webhook = Object(WebhookCreateSchema, allow_none=True, metadata={"description": "Where the job's events go."})

    accounts: ClassVar[Accounts] = {}

    def rules(self, data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        request, account = data.get("request"), data.get("account")
        model = request.get("model") if isinstance(request, dict) else None
        if not isinstance(model, str) or not isinstance(account, str) or account not in self.accounts:
            return
        serving = [name for name, models in self.accounts.items() if models is None or model in models]
        if serving and account not in serving:
            yield "account", f"{shown(account)} does not serve {shown(model)} ({', '.join(serving)} would)"


def job_create_schema(
    models: frozenset[str] | None, unknown: UnknownFields, *, accounts: Accounts | None = None
) -> JobCreateSchema:
    """The schema of a job whose request follows `request_schema(models, unknown)`; `accounts` are those it may name.

    Unknown fields of the job itself are refused in any case: there is nobody to forward them to.
    """
    given: dict[str, Any] = {"request": Object(request_schema(models, unknown), required=True)}
    if accounts is not None:
        told = JobCreateSchema._declared_fields["account"].metadata
        given["account"] = String(validate=OneOf(accounts, noun="account"), metadata=told)
    # A copy keeps its name in the description of the API; marshmallow types it as any schema.
    kind = cast(type[JobCreateSchema], JobCreateSchema.from_dict(given, name="JobCreateSchema"))
    kind.accounts = accounts or {}
    return kind()


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
    response = Object(ResponseSchema, required=True, allow_none=True)
    error = Object(JobErrorSchema, required=True, allow_none=True)
    webhook = Object(WebhookSchema, required=True, allow_none=True)
    metadata = Metadata(required=True)


class JobListSchema(Base):
    """Jobs, newest first; `after=last_id` asks for the next ones while `has_more` is true."""

    object = String(required=True, validate=OneOf(("list",)))
    data = List(Object(JobSchema), required=True)
    first_id = String(required=True, allow_none=True)
    last_id = String(required=True, allow_none=True)
    has_more = Boolean(required=True)
