"""A line of a batch's file, read strictly as far as the batch as a whole needs it to be valid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas import strict_json
from schemas.error import InvalidJson
from schemas.mistakes import shown

MOST_CUSTOM_ID_CHARACTERS = 512


class LineMistake(Exception):
    """What is wrong with a line; `param` is the name of the field at fault, if it is one's."""

    def __init__(self, *, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRequest:
    """What stands in a line; `body` is a request that its own schema has still to judge."""

    custom_id: str
    model: str
    body: Mapping[str, Any]


def read_line(data: bytes, *, endpoint: str) -> LineRequest:
    """Raises LineMistake."""
    try:
        value = strict_json.parse(data)
    except InvalidJson as error:
        raise LineMistake(code="invalid_json_line", message=error.message, param=error.param) from error
    if not isinstance(value, dict):
        raise LineMistake(code="invalid_json_line", message="the line is not a JSON object")
    _expect(value, "method", "POST", code="invalid_method")
    _expect(value, "url", endpoint, code="invalid_url")
    body = value.get("body")
    if not isinstance(body, dict):
        raise _missing(value, "body", "must be an object")
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise _missing(body, "model", "must be a string", place="body.")
    return LineRequest(custom_id=_custom_id(value), model=model, body=body)


def _custom_id(value: Mapping[str, Any]) -> str:
    custom_id = value.get("custom_id")
    if not isinstance(custom_id, str) or not 1 <= len(custom_id) <= MOST_CUSTOM_ID_CHARACTERS:
        raise _missing(value, "custom_id", f"must be a string of 1 to {MOST_CUSTOM_ID_CHARACTERS} characters")
    return custom_id


def _expect(value: Mapping[str, Any], name: str, wanted: str, *, code: str) -> None:
    if name not in value:
        raise _missing(value, name, "")
    if value[name] != wanted:
        raise LineMistake(code=code, message=f"{name} must be {wanted}, got {shown(value[name])}", param=name)


def _missing(value: Mapping[str, Any], name: str, must: str, *, place: str = "") -> LineMistake:
    if name not in value:
        return LineMistake(code="missing_required_parameter", message=f"{place}{name} is missing", param=place + name)
    return LineMistake(code="invalid_value", message=f"{place}{name} {must}", param=place + name)
