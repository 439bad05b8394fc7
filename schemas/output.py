"""The items of a response's output, completed: ids, statuses and lists that the endpoint left out are added."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from schemas.output_text import complete_parts, complete_texts
from schemas.shape import fits, trimmed

_words = frozenset
_statuses = _words({"in_progress", "completed", "incomplete"})
_caller = ({"type": _words({"direct"})}, {"type": _words({"program"}), "caller_id": str})
_call_extras = {"caller": _caller, "namespace": str, "async": bool, "name": str, "created_by": str}
_returned_part = (
    {"type": _words({"input_text"}), "text": str},
    {
        "type": _words({"input_image"}),
        "image_url": (str, None),
        "detail": _words({"low", "high", "auto"}),
        "file_id?": str,
    },
    {"type": _words({"input_file"}), "file_url?": str, "file_id?": str, "file_data?": str, "filename?": str},
)

# How an item ends whose response did not end well; only the last one can have been under way.
_last_status = {"in_progress": "in_progress", "queued": "in_progress", "completed": "completed"}


def complete_output(value: object, *, response_id: str, status: str) -> list[dict[str, Any]]:
    """The output as a list of whole items; what is no item is left out, items of unknown types are kept.

    An item without id gets one made of the response's id and its place, the same at every reading.
    """
    items = [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
    typed = [(name, item) for item in items if (name := _type_of(item)) is not None]
    return [
        complete_item(
            item,
            type=name,
            response_id=response_id,
            index=index,
            status=_last_status.get(status, "incomplete") if index == len(typed) - 1 else "completed",
        )
        for index, (name, item) in enumerate(typed)
    ]


def complete_item(item: Mapping[str, Any], *, type: str, response_id: str, index: int, status: str) -> dict[str, Any]:
    """One item of the given type; `status` and the id stand in where it has none of its own."""
    prefix, complete = _kinds.get(type, ("item", None))
    given = item.get("id")
    own_id = given if isinstance(given, str) and given else f"{prefix}_{response_id.removeprefix('resp_')}_{index}"
    whole = {**item, "type": type, "id": own_id}
    if complete:
        whole["status"] = item["status"] if fits(item.get("status"), _statuses) else status
        whole.update(complete(item, own_id))
        whole = trimmed(whole, _extras.get(type, {}))
    return whole


def _type_of(item: Mapping[str, Any]) -> str | None:
    name = item.get("type")
    if isinstance(name, str):
        return name
    return "message" if "role" in item or "content" in item else None


def _text(item: Mapping[str, Any], name: str, otherwise: str) -> str:
    found = item.get(name)
    return found if isinstance(found, str) else otherwise


def _message(item: Mapping[str, Any], own_id: str) -> Iterator[tuple[str, Any]]:
    yield "role", "assistant"
    yield "content", complete_parts(item.get("content"))


def _reasoning(item: Mapping[str, Any], own_id: str) -> Iterator[tuple[str, Any]]:
    yield "summary", complete_texts(item.get("summary"), type="summary_text")
    if item.get("content") is not None:
        yield "content", complete_texts(item["content"], type="reasoning_text")


def _function_call(item: Mapping[str, Any], own_id: str) -> Iterator[tuple[str, Any]]:
    yield "call_id", _text(item, "call_id", own_id)
    yield "name", _text(item, "name", "")
    given = item.get("arguments")
    yield "arguments", json.dumps(given) if isinstance(given, dict) else _text(item, "arguments", "{}")


def _function_call_output(item: Mapping[str, Any], own_id: str) -> Iterator[tuple[str, Any]]:
    yield "call_id", _text(item, "call_id", own_id)
    given = item.get("output")
    yield "output", given if fits(given, (str, [_returned_part])) else json.dumps(given)


def _compaction(item: Mapping[str, Any], own_id: str) -> Iterator[tuple[str, Any]]:
    yield "encrypted_content", _text(item, "encrypted_content", "")


_kinds: dict[str, tuple[str, Callable[[Mapping[str, Any], str], Iterator[tuple[str, Any]]]]] = {
    "message": ("msg", _message),
    "reasoning": ("rs", _reasoning),
    "function_call": ("fc", _function_call),
    "function_call_output": ("fco", _function_call_output),
    "compaction": ("cmp", _compaction),
}
_extras: dict[str, dict[str, Any]] = {
    "message": {"phase": _words({"commentary", "final_answer"})},
    "reasoning": {"encrypted_content": str},
    "function_call": _call_extras,
    "function_call_output": _call_extras,
    "compaction": {"created_by": str},
}
