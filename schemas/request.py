"""The body that asks for a response: what may stand in it, and what of it goes to the endpoint."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal, cast

from marshmallow import INCLUDE, RAISE

from schemas.base import Base, Mistakes
from schemas.bounds import Length, OneOf, Range, printable
from schemas.fields import Boolean, FreeObject, Integer, List, Number, Object, String
from schemas.items import item_list, items_field
from schemas.options import (
    CachingSchema,
    ConversationSchema,
    Metadata,
    PromptSchema,
    ReasoningSchema,
    StreamOptionsSchema,
    TextSchema,
    ThinkingSchema,
    caching_excludes_instructions,
    open_settings,
)
from schemas.respool_options import Accounts, RespoolOptionsSchema, account_lacks_model, options_schema
from schemas.tools import tool_choice_field, tools_field
from schemas.unions import Either

MAX_MODEL_CHARACTERS = 256
UnknownFields = Literal["refuse", "forward"]

DEFAULT_MODELS = (
    "doubao-seed-2.0-pro",
    "doubao-seed-2.0-code",
    "doubao-seed-2.0-lite",
    "doubao-seed-2.0-mini",
    "doubao-seed-1-8-251228",
    "doubao-seed-1-6-flash-250828",
    "doubao-seed-1-6-251015",
    "doubao-seed-1-6-lite-251015",
    "doubao-seed-1-6-vision-250815",
    "glm-4-7-251222",
    "glm-4.7",
)
SERVICE_TIERS = ("auto", "default", "fast", "flex", "priority", "scale", "ultrafast")

# They steer this service; the endpoint never sees them.
steering_fields = frozenset({"background", "respool"})
STEERING = {"description": "What steers this service; never sent to the endpoint."}


class CreateResponseSchema(Base):
    """A request for a response. Optional fields of the Responses protocol may be null."""

    model = String(required=True)
    input = items_field(required=True)
    stream = Boolean(allow_none=True, metadata={"default": False})
    temperature = Number(validate=Range(min=0, max=2), allow_none=True, metadata={"default": 1})
    top_p = Number(validate=Range(min=0, max=1), allow_none=True)
    max_output_tokens = Integer(validate=Range(min=1), allow_none=True)
    reasoning = Object(ReasoningSchema, allow_none=True)
    tools = tools_field()
    tool_choice = tool_choice_field()
    parallel_tool_calls = Boolean(allow_none=True)
    max_tool_calls = Integer(validate=Range(min=1), allow_none=True)
    instructions = Either(String(), item_list(), allow_none=True)
    previous_response_id = String(allow_none=True)
    conversation = Either(String(), Object(ConversationSchema), allow_none=True)
    prompt = Object(PromptSchema, allow_none=True)
    text = Object(TextSchema, allow_none=True)
    thinking = Object(ThinkingSchema, allow_none=True)
    caching = Object(CachingSchema, allow_none=True)
    context_management = open_settings()
    session = Either(String(), FreeObject(), allow_none=True)
    include = List(String(), allow_none=True)
    truncation = String(validate=OneOf(("auto", "disabled"), noun="truncation"), allow_none=True)
    top_logprobs = Integer(validate=Range(min=0, max=20), allow_none=True)
    presence_penalty = Number(validate=Range(min=-2, max=2), allow_none=True)
    frequency_penalty = Number(validate=Range(min=-2, max=2), allow_none=True)
    stream_options = Object(StreamOptionsSchema, allow_none=True)
    store = Boolean(allow_none=True)
    expire_at = Integer(validate=Range(min=0), allow_none=True, metadata={"description": "Unix seconds."})
    metadata = Metadata(allow_none=True)
    prompt_cache_key = String(allow_none=True)
    prompt_cache_retention = String(
        validate=OneOf(("in_memory", "in-memory", "24h"), noun="retention"), allow_none=True
    )
    safety_identifier = String(allow_none=True)
    service_tier = String(validate=OneOf(SERVICE_TIERS, noun="service tier"), allow_none=True)
    user = String(allow_none=True)
    background = Boolean(allow_none=True)
    respool = Object(RespoolOptionsSchema, allow_none=True, metadata=STEERING)

    accounts: ClassVar[Accounts] = {}

    def rules(self, data: Mapping[str, Any]) -> Iterator[tuple[str, str | Mistakes]]:
        yield from caching_excludes_instructions(data)
        for message in account_lacks_model(data.get("model"), data.get("respool"), self.accounts):
            yield "respool", {"account": [message]}


def request_schema(
    models: frozenset[str] | None, unknown: UnknownFields, *, accounts: Accounts | None = None
) -> CreateResponseSchema:
    """The schema of a request for one of `models` (None: any name), with unknown fields refused or forwarded.

    `accounts` are those that its `respool` may pin the job to; None: any name.
    """
    if models is None:
        model = String(required=True, validate=[Length("characters", min=1, max=MAX_MODEL_CHARACTERS), printable])
    else:
        model = String(required=True, validate=OneOf(sorted(models), noun="model"))
    own = Object(options_schema(accounts), allow_none=True, metadata=STEERING)
    # A copy keeps its name in the description of the API; marshmallow types it as any schema.
    kind = CreateResponseSchema.from_dict({"model": model, "respool": own}, name="CreateResponseSchema")
    schema = cast(type[CreateResponseSchema], kind)
    schema.accounts = accounts or {}
    return schema(unknown=INCLUDE if unknown == "forward" else RAISE)


def upstream_body(request: Mapping[str, Any]) -> dict[str, Any]:
    """What goes to the endpoint: the request without what steers us, and with `stream` said in any case."""
    body = {name: value for name, value in request.items() if name not in steering_fields}
    body["stream"] = bool(body.get("stream"))
    return body
