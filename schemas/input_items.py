"""The items that a response was made from: earlier turns put before an input, and what is shown of them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from schemas.base import Base, Open
from schemas.bounds import OneOf
from schemas.fields import Boolean, List, Object, String
from schemas.items import type_of_item

_prefixes = {"message": "msg", "reasoning": "rs", "function_call": "fc", "function_call_output": "fco"}
_with_status = frozenset(_prefixes) - {"reasoning"}
_ours = ("id", "status")
_shown: dict[str, dict[str, Any]] = {
    "input_image": {"detail": "auto"},
    "output_text": {"annotations": [], "logprobs": []},
}


class InputItemSchema(Open):
    """An item of the input, whole: a message, what came of a function call, or whatever else was sent."""

    id = String(required=True)
    type = String(required=True)


class InputItemListSchema(Base):
    """Items of an input; `after=last_id` asks for the next ones while `has_more` is true."""

    object = String(required=True, validate=OneOf(("list",)))
    data = List(Object(InputItemSchema), required=True)
    first_id = String(required=True, allow_none=True)
    last_id = String(required=True, allow_none=True)
    has_more = Boolean(required=True)


def items_of(given: str | Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """An input as items: a text is one message of the user."""
    return [{"role": "user", "content": given}] if isinstance(given, str) else list(given)


def turns(
    earlier: str | Sequence[Mapping[str, Any]], output: Sequence[Mapping[str, Any]], given: str | Sequence[Any]
) -> list[Mapping[str, Any]]:
    """The input of a response that goes on after another: that one's input, its output, and what is new."""
    return [*items_of(earlier), *_said(output), *items_of(given)]


def _said(output: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Output as every endpoint takes it back: no ids that it did not give, texts as texts.

    Reasoning goes back only in the form that is made for it: another endpoint, or one that keeps nothing, refuses it.
    """
    for item in output:
        match item.get("type"):
            case "message":
                phase = {"phase": item["phase"]} if item.get("phase") else {}
                yield {"role": "assistant", "content": _text(item["content"])} | phase
            case "function_call" | "function_call_output":
                yield {name: found for name, found in item.items() if name not in _ours and found is not None}
            case "reasoning" if not item.get("encrypted_content"):
                continue
            case _:
                yield item


def _text(parts: Sequence[Mapping[str, Any]]) -> str:
    said = (part.get("text") if part["type"] == "output_text" else part.get("refusal") for part in parts)
    return "".join(text for text in said if isinstance(text, str))


def complete_input(given: str | Sequence[Mapping[str, Any]], *, number: str) -> list[dict[str, Any]]:
    """Every item with type, status and an id of its own, and contents as lists of parts; the same at every reading.

    `number` is the X of the response's id. Of several items with one id, the first has it.
    """
    taken: set[str] = set()
    whole = []
    for index, item in enumerate(items_of(given)):
        own = item if item.get("id") not in taken else {**item, "id": None}
        whole.append(_whole(own, f"{number}_in_{index}"))
        taken.add(whole[-1]["id"])
    return whole


def _whole(item: Mapping[str, Any], own_name: str) -> dict[str, Any]:
    kind = item.get("type") or type_of_item(item)
    whole = {**item, "type": kind, "id": item.get("id") or f"{_prefixes.get(kind, 'item')}_{own_name}"}
    if kind in _with_status:
        whole["status"] = item.get("status") or "completed"
    if kind == "message":
        whole["content"] = _parts(item["content"], str(item["role"]))
    if kind == "function_call_output" and isinstance(item["output"], list):
        whole["output"] = [_part(part) for part in item["output"]]
    return whole


def _parts(content: str | list[dict[str, Any]], role: str) -> list[dict[str, Any]]:
    if isinstance(content, list):
        return [_part(part) for part in content]
    return [_part({"type": "output_text" if role == "assistant" else "input_text", "text": content})]


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    """The part with what the protocol requires of one that is shown."""
    otherwise = _shown.get(part["type"], {})
    return {**part, **{name: value for name, value in otherwise.items() if part.get(name) is None}}
