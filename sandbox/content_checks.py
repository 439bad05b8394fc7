"""The bounds of `input`: its items, their content, and the fields of each content type."""

from collections.abc import Mapping
from typing import Any

from sandbox.errors import Refused

ROLES = ("user", "assistant", "system", "developer")
FPS_MAX = 1_000.0

# Content type → the fields of which one at least must stand there as a non-empty string.
_CONTENT: dict[str, tuple[str, ...]] = {
    "input_text": ("text",),
    "output_text": ("text",),
    "summary_text": ("text",),
    "reasoning_text": ("text",),
    "refusal": ("refusal",),
    "input_image": ("image_url", "file_id"),
    "input_video": ("video_url", "file_id"),
    "input_audio": ("audio_url", "file_id"),
    "input_file": ("file_url", "file_id", "file_data"),
}
_MAY_BE_EMPTY = ("text", "refusal")
_ITEMS = ("message", "function_call", "function_call_output", "reasoning", "item_reference")


def check_input(given: object) -> None:
    """Raise Refused for the first thing in `input` that is not as documented."""
    if isinstance(given, str):
        if not given:
            raise Refused("The field input must not be empty.", param="input")
        return
    if not isinstance(given, list) or not given:
        raise Refused("The field input must be a non-empty string or list.", param="input")
    for place, item in enumerate(given):
        _check_item(item, path=f"input[{place}]")


def _check_item(item: object, *, path: str) -> None:
    if not isinstance(item, dict):
        raise Refused("An input item must be an object.", param=path)
    match item.get("type", "message"):
        case "message":
            _check_message(item, path=path)
        case "function_call":
            _check_strings(item, ("call_id", "name", "arguments"), path=path)
        case "function_call_output":
            _check_strings(item, ("call_id",), path=path)
            _check_content(item.get("output"), path=f"{path}.output")
        case "reasoning":
            _check_content(item.get("summary", []), path=f"{path}.summary")
            if item.get("content") is not None:
                _check_content(item["content"], path=f"{path}.content")
        case "item_reference":
            _check_strings(item, ("id",), path=path)
        case _:
            raise Refused(f"The type of an input item must be one of {', '.join(_ITEMS)}.", param=f"{path}.type")


def _check_message(item: Mapping[str, Any], *, path: str) -> None:
    if item.get("role") not in ROLES:
        raise Refused(f"The role must be one of {', '.join(ROLES)}.", param=f"{path}.role")
    _check_content(item.get("content"), path=f"{path}.content")


def _check_content(content: object, *, path: str) -> None:
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        raise Refused("Content must be a string or a list.", param=path)
    for place, part in enumerate(content):
        _check_part(part, path=f"{path}[{place}]")


def _check_part(part: object, *, path: str) -> None:
    if not isinstance(part, dict):
        raise Refused("A content part must be an object.", param=path)
    kind = part.get("type")
    if not isinstance(kind, str) or kind not in _CONTENT:
        raise Refused(f"The content type must be one of {', '.join(_CONTENT)}.", param=f"{path}.type")
    fields = _CONTENT[kind]
    for name in (*fields, "filename"):
        if part.get(name) is not None and not isinstance(part[name], str):
            raise Refused(f"The field {name} must be a string.", param=f"{path}.{name}")
    if not any(part.get(name) or (name in _MAY_BE_EMPTY and part.get(name) == "") for name in fields):
        raise Refused(f"Content of type {kind} needs {' or '.join(fields)}.", code="MissingParameter", param=path)
    if kind == "input_video":
        _check_fps(part.get("fps"), path=path)


def _check_fps(fps: object, *, path: str) -> None:
    is_number = isinstance(fps, int | float) and not isinstance(fps, bool) and 0 < fps <= FPS_MAX
    if fps is not None and not is_number:
        raise Refused(f"The field fps must be above 0 and at most {FPS_MAX:g}.", param=f"{path}.fps")


def _check_strings(item: Mapping[str, Any], names: tuple[str, ...], *, path: str) -> None:
    for name in names:
        if not isinstance(item.get(name), str):
            raise Refused(f"The field {name} must be a string.", param=f"{path}.{name}")
