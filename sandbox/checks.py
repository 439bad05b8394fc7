"""The bounds of a request body. The first mistake found refuses it, as the real endpoint does."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from marshmallow import ValidationError

from sandbox.errors import Refused
from schemas.error import InvalidJson
from schemas.mistakes import flatten
from schemas.request import CreateResponseSchema, request_schema
from schemas.strict_json import parse


def parse_body(raw: bytes) -> dict[str, Any]:
    """The JSON object in a request's bytes. Raises Refused for anything else."""
    try:
        body = parse(raw)
    except InvalidJson as error:
        raise Refused(f"The request body cannot be read: {error.message}.", param=error.param) from error
    if not isinstance(body, dict):
        raise Refused("The request body must be a JSON object.")
    return body


def check_body(body: Mapping[str, Any]) -> None:
    """Raise Refused for the first field that is missing or out of its bounds; what is unknown is let in."""
    for name in ("model", "input"):
        if body.get(name) is None:
            raise Refused(f"The field {name} is required.", code="MissingParameter", param=name)
    try:
        _schema().load(body)
    except ValidationError as error:
        mistake = flatten(error.messages)[0]
        raise Refused(f"The field {mistake.path} is not valid: {mistake.message}.", param=mistake.path) from error
    _check_tool_choice(body)


@cache
def _schema() -> CreateResponseSchema:
    return request_schema(None, "forward")


def _check_tool_choice(body: Mapping[str, Any]) -> None:
    choice = body.get("tool_choice")
    if not isinstance(choice, dict) or choice["type"] != "function":
        return
    names = [tool["name"] for tool in body.get("tools") or [] if tool["type"] == "function"]
    if choice.get("name") not in names:
        raise Refused("The tool_choice names a function that is not among the tools.", param="tool_choice")
