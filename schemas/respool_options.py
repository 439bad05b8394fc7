"""What a caller may ask of this service besides the response itself: in a job's body, and in a request's `respool`."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, TypeAlias, cast

from marshmallow import RAISE
from marshmallow.types import UnknownOption

from schemas.base import Base
from schemas.bounds import Length, OneOf, Range
from schemas.fields import Integer, List, Number, Object, String
from schemas.mistakes import shown
from schemas.unions import Either
from schemas.webhook import WebhookCreateSchema

ON_UNKNOWN = ("retry", "fail")
PRIORITIES = range(10)
DEFAULT_PRIORITY = 5
MAX_ATTEMPTS = 100
MAX_QUEUE_DEADLINE_SECONDS = 30 * 24 * 3600
MAX_RUN_TIMEOUT_SECONDS = 24 * 3600
MAX_VIDEO_SECONDS = 24 * 3600
MAX_VIDEOS = 100
MAX_ESTIMATED_TOKENS = 10_000_000

Accounts: TypeAlias = Mapping[str, frozenset[str] | None]
"""The models of each upstream account by its name; None: any."""


def seconds(*, at_most: int) -> Number:
    """A length of time above zero; fractions are fine."""
    bounds = Range(min=0, min_inclusive=False, max=at_most)
    return Number(validate=bounds, metadata={"exclusiveMinimum": 0})


class RespoolOptionsSchema(Base):
    """How hard to try, when to start, where to tell. Unknown options are always refused: nobody else reads them."""

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

    def load(
        self, data: Any, *, many: bool | None = None, partial: Any = None, unknown: UnknownOption | None = None
    ) -> Any:
        return super().load(data, many=many, partial=partial, unknown=RAISE)


def options_schema(accounts: Accounts | None) -> type[RespoolOptionsSchema]:
    """The options where a job may be pinned to one of `accounts`; None: to any name."""
    if accounts is None:
        return RespoolOptionsSchema
    # A copy keeps its name in the description of the API; marshmallow types it as any schema.
    kind = RespoolOptionsSchema.from_dict({"account": account_field(accounts)}, name="RespoolOptionsSchema")
    return cast(type[RespoolOptionsSchema], kind)


def account_field(accounts: Accounts) -> String:
    told = RespoolOptionsSchema._declared_fields["account"].metadata
    return String(validate=OneOf(accounts, noun="account"), metadata=told)


def account_lacks_model(model: object, options: object, accounts: Accounts) -> Iterator[str]:
    """The mistake of a job that is pinned to an account which does not serve its model."""
    account = options.get("account") if isinstance(options, Mapping) else None
    if not isinstance(model, str) or not isinstance(account, str) or account not in accounts:
        return
    serving = [name for name, models in accounts.items() if models is None or model in models]
    if serving and account not in serving:
        yield f"{shown(account)} does not serve {shown(model)} ({', '.join(serving)} would)"
