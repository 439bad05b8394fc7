"""What the model may call, and how it chooses."""

from schemas.base import Base, Open
from schemas.bounds import Length, OneOf
from schemas.content import type_is
from schemas.fields import Boolean, FreeObject, List, Object, String
from schemas.unions import ByType, Either

TOOL_CHOICES = ("auto", "none", "required")


class FunctionToolSchema(Base):
    """A function of the caller's own; `parameters` is a JSON Schema."""

    type = type_is("function")
    name = String(required=True, validate=Length("characters", min=1))
    description = String(allow_none=True)
    parameters = FreeObject(allow_none=True)
    strict = Boolean(allow_none=True)
    output_schema = FreeObject(allow_none=True)
    defer_loading = Boolean(allow_none=True)
    allowed_callers = List(String(), allow_none=True)
    is_async = Boolean(data_key="async", allow_none=True)


class HostedToolSchema(Open):
    """A tool that the endpoint runs, such as `web_search`; only the endpoint knows what belongs in it."""

    type = String(required=True, validate=Length("characters", min=1))


def tools_field() -> List:
    return List(ByType({"function": FunctionToolSchema}, kind="tool", other=HostedToolSchema), allow_none=True)


def tool_choice_field() -> Either:
    """A word, or an object whose `type` says which tool or tools."""
    word = String(validate=OneOf(TOOL_CHOICES, noun="tool choice"))
    return Either(word, Object(HostedToolSchema), allow_none=True)
