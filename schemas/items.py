"""The items of `input`: messages, calls of functions and what came of them, earlier reasoning, references."""

from collections.abc import Mapping
from typing import Any

from schemas.base import Base, Open
from schemas.bounds import Length, OneOf
from schemas.content import INPUT_PARTS, MESSAGE_PARTS, content_of, type_is
from schemas.fields import Boolean, FreeObject, List, Object, String
from schemas.unions import ByType, Either

ROLES = ("user", "assistant", "system", "developer")
ITEM_STATUSES = ("in_progress", "completed", "incomplete")

# Items that hosted tools leave behind: they may be sent back, and only the endpoint knows what is in them.
HOSTED_ITEMS = (
    "apply_patch_call",
    "apply_patch_call_output",
    "code_interpreter_call",
    "compaction",
    "computer_call",
    "computer_call_output",
    "custom_tool_call",
    "custom_tool_call_output",
    "file_search_call",
    "image_generation_call",
    "local_shell_call",
    "local_shell_call_output",
    "mcp_approval_request",
    "mcp_approval_response",
    "mcp_call",
    "mcp_list_tools",
    "shell_call",
    "shell_call_output",
    "tool_search_call",
    "tool_search_output",
    "web_search_call",
)


def status_field() -> String:
    return String(validate=OneOf(ITEM_STATUSES, noun="status"), allow_none=True)


class MessageSchema(Base):
    """`{role, content}`; the type may be left out."""

    type = String(validate=OneOf(("message",), noun="type"))
    role = String(required=True, validate=OneOf(ROLES, noun="role"))
    content = content_of(MESSAGE_PARTS, required=True)
    id = String(allow_none=True)
    status = status_field()
    phase = String(validate=OneOf(("commentary", "final_answer"), noun="phase"), allow_none=True)


class FunctionCallSchema(Base):
    """A function that the model asked for; `arguments` is JSON in a string."""

    type = type_is("function_call")
    call_id = String(required=True)
    name = String(required=True)
    arguments = String(required=True)
    id = String(allow_none=True)
    status = status_field()
    namespace = String(allow_none=True)
    caller = FreeObject(allow_none=True)
    is_async = Boolean(data_key="async", allow_none=True)


class FunctionCallOutputSchema(Base):
    """What the function returned."""

    type = type_is("function_call_output")
    call_id = String(required=True)
    output = content_of(INPUT_PARTS, required=True)
    id = String(allow_none=True)
    status = status_field()
    name = String(allow_none=True)
    namespace = String(allow_none=True)
    caller = FreeObject(allow_none=True)
    created_by = String(allow_none=True)


class SummaryTextSchema(Base):
    type = type_is("summary_text")
    text = String(required=True)


class ReasoningTextSchema(Base):
    type = type_is("reasoning_text")
    text = String(required=True)


class ReasoningItemSchema(Base):
    type = type_is("reasoning")
    id = String(allow_none=True)
    summary = List(Object(SummaryTextSchema), required=True)
    content = List(Object(ReasoningTextSchema), allow_none=True)
    encrypted_content = String(allow_none=True)
    status = status_field()


class ItemReferenceSchema(Base):
    """An item that the endpoint has stored; the type may be left out."""

    type = String(validate=OneOf(("item_reference",), noun="type"))
    id = String(required=True)


class HostedItemSchema(Open):
    """An item of a hosted tool, passed on as it came."""

    type = String(required=True, validate=OneOf(HOSTED_ITEMS, noun="item type"))


ITEMS: dict[str, type[Base]] = {
    "message": MessageSchema,
    "function_call": FunctionCallSchema,
    "function_call_output": FunctionCallOutputSchema,
    "reasoning": ReasoningItemSchema,
    "item_reference": ItemReferenceSchema,
    **dict.fromkeys(HOSTED_ITEMS, HostedItemSchema),
}


def type_of_item(item: Mapping[str, Any]) -> str:
    """The type of an item that does not say it: a lone id refers to an item, all else is a message."""
    return "item_reference" if item.keys() == {"id"} else "message"


def items_field(**options: Any) -> Either:
    """A string, or a list of items; neither may be empty."""
    return Either(String(validate=Length("characters", min=1)), item_list(), **options)


def item_list() -> List:
    item = ByType(ITEMS, kind="item", type_of=type_of_item)
    return List(item, validate=Length("items", min=1))
