"""The Response as documents describe it: every field that is always there, with its type."""

from schemas.base import Open
from schemas.bounds import OneOf
from schemas.fields import Boolean, FreeObject, Integer, List, Number, Object, String
from schemas.options import Metadata
from schemas.unions import Either
from schemas.usage import UsageSchema


class ResponseErrorSchema(Open):
    code = String(required=True)
    message = String(required=True)


class IncompleteDetailsSchema(Open):
    reason = String(required=True)


class OutputItemSchema(Open):
    """A message, reasoning, a function call or whatever else the endpoint wrote."""

    type = String(required=True)
    id = String(required=True)


class ResponseSchema(Open):
    """A response, complete: what the endpoint leaves out has the protocol's own value."""

    id = String(required=True)
    object = String(required=True, validate=OneOf(("response",)))
    created_at = Integer(required=True)
    completed_at = Integer(required=True, allow_none=True)
    status = String(
        required=True,
        validate=OneOf(("queued", "in_progress", "completed", "failed", "incomplete", "cancelled"), noun="status"),
    )
    background = Boolean(required=True)
    store = Boolean(required=True)
    error = Object(ResponseErrorSchema, required=True, allow_none=True)
    incomplete_details = Object(IncompleteDetailsSchema, required=True, allow_none=True)
    instructions = String(required=True, allow_none=True)
    metadata = Metadata(required=True)
    model = String(required=True)
    output = List(Object(OutputItemSchema), required=True)
    parallel_tool_calls = Boolean(required=True)
    previous_response_id = String(required=True, allow_none=True)
    prompt_cache_key = String(required=True, allow_none=True)
    safety_identifier = String(required=True, allow_none=True)
    reasoning = FreeObject(required=True, allow_none=True)
    service_tier = String(required=True)
    temperature = Number(required=True)
    top_p = Number(required=True)
    presence_penalty = Number(required=True)
    frequency_penalty = Number(required=True)
    top_logprobs = Integer(required=True)
    text = FreeObject(required=True)
    tool_choice = Either(String(), FreeObject(), required=True)
    tools = List(FreeObject(), required=True)
    truncation = String(required=True, validate=OneOf(("auto", "disabled")))
    usage = Object(UsageSchema, required=True, allow_none=True)
    max_output_tokens = Integer(required=True, allow_none=True)
    max_tool_calls = Integer(required=True, allow_none=True)
