"""The bounds of a request body. The first mistake found refuses it, as the real endpoint does."""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.content_checks import check_input
from sandbox.errors import Refused

DEPTH_MAX = 64
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
TEXT_FORMATS = ("text", "json_object", "json_schema")
METADATA_PAIRS_MAX = 16
METADATA_VALUE_CHARACTERS_MAX = 512


def parse_body(raw: bytes) -> dict[str, Any]:
    """The JSON object in a request's bytes. Raises Refused for anything else, and for nesting beyond DEPTH_MAX."""
    try:
        body = json.loads(raw, parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise Refused("The request body is not valid JSON.") from error
    if not isinstance(body, dict):
        raise Refused("The request body must be a JSON object.")
    if _is_deeper(body, DEPTH_MAX):
        raise Refused(f"The request body is nested deeper than {DEPTH_MAX} levels.")
    return body


def check_body(body: Mapping[str, Any]) -> None:
    """Raise Refused for the first field that is missing or out of its bounds."""
    for name in ("model", "input"):
        if body.get(name) is None:
            raise Refused(f"The field {name} is required.", code="MissingParameter", param=name)
    if not isinstance(body["model"], str) or not body["model"].strip():
        raise Refused("The field model must be a non-empty string.", param="model")
    check_input(body["input"])
    for name, (is_right, words) in _FIELDS.items():
        value = body.get(name)
        if value is not None and not is_right(value):
            raise Refused(f"The field {name} must be {words}.", param=name)
    _check_text_format(body.get("text") or {})
    _check_tools(body)


def _is_number(value: object, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_bool(value: object) -> bool:
    return isinstance(value, bool)


def _is_reasoning(value: object) -> bool:
    return isinstance(value, dict) and value.get("effort") in (None, *EFFORTS)


def _is_metadata(value: object) -> bool:
    return (
        isinstance(value, dict)
        and len(value) <= METADATA_PAIRS_MAX
        and all(isinstance(text, str) and len(text) <= METADATA_VALUE_CHARACTERS_MAX for text in value.values())
    )


_FIELDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "stream": (_is_bool, "true or false"),
    "temperature": (lambda value: _is_number(value, 0, 2), "a number from 0 to 2"),
    "top_p": (lambda value: _is_number(value, 0, 1), "a number from 0 to 1"),
    "max_output_tokens": (_is_count, "a whole number of 1 or more"),
    "reasoning": (_is_reasoning, f"an object whose effort is one of {', '.join(EFFORTS)}"),
    "metadata": (_is_metadata, "an object of at most 16 strings of at most 512 characters"),
    "instructions": (lambda value: isinstance(value, str | list), "a string or a list"),
    "previous_response_id": (lambda value: isinstance(value, str), "a string"),
    "parallel_tool_calls": (_is_bool, "true or false"),
    "store": (_is_bool, "true or false"),
    "text": (lambda value: isinstance(value, dict), "an object"),
    "tools": (lambda value: isinstance(value, list), "a list"),
    "tool_choice": (lambda value: isinstance(value, str | dict), "a string or an object"),
}


def _check_text_format(text: Mapping[str, Any]) -> None:
    form = text.get("format")
    if form is None:
        return
    if not isinstance(form, dict) or form.get("type") not in TEXT_FORMATS:
        raise Refused(f"The type of text.format must be one of {', '.join(TEXT_FORMATS)}.", param="text.format")
    if form["type"] == "json_schema" and not isinstance(form.get("schema"), dict):
        raise Refused("A format of type json_schema needs an object schema.", param="text.format.schema")


def _check_tools(body: Mapping[str, Any]) -> None:
    tools = body.get("tools") or []
    for place, tool in enumerate(tools):
        if not isinstance(tool, dict) or not isinstance(tool.get("type"), str):
            raise Refused("A tool must be an object with a type.", param=f"tools[{place}]")
        if tool["type"] != "function":
            continue
        if not isinstance(tool.get("name"), str) or not tool["name"]:
            raise Refused("A function tool needs a name.", param=f"tools[{place}].name")
        if not isinstance(tool.get("parameters") or {}, dict):
            raise Refused("The parameters of a tool must be an object.", param=f"tools[{place}].parameters")
    _check_tool_choice(
        body.get("tool_choice") or "auto", {tool["name"] for tool in tools if tool["type"] == "function"}
    )


def _check_tool_choice(choice: str | Mapping[str, Any], names: set[str]) -> None:
    if isinstance(choice, str):
        if choice not in ("auto", "none", "required"):
            raise Refused("A tool_choice in words is auto, none or required.", param="tool_choice")
    elif choice.get("type") == "function" and not _names_one(choice, names):
        raise Refused("The tool_choice names a function that is not among the tools.", param="tool_choice")


def _names_one(choice: Mapping[str, Any], names: set[str]) -> bool:
    return isinstance(choice.get("name"), str) and choice["name"] in names


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isfinite(number):
        return number
    raise ValueError("the number is too large")


def _is_deeper(value: object, levels: int) -> bool:
    layer = [value]
    for _ in range(levels):
        layer = [
            child
            for node in layer
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
        ]
        if not layer:
            return False
    return True
