"""The error body of every refusal, and the flat list of mistakes behind one."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from marshmallow.exceptions import SCHEMA

MAX_MISTAKES = 100
MAX_SHOWN_CHARACTERS = 40

type_of_error = "invalid_request_error"
_plain_name = re.compile(r"[A-Za-z_$][\w$-]*")


class InvalidJson(Exception):
    """The bytes are no JSON text that is taken here.

    `message` says what is wrong and, where it is known, at which place; `param` is the path of the value at fault or None.
    """

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """One mistake: `path` such as `input[0].content[1].fps` ("" is the whole body), `message` without the path."""

    path: str
    message: str


def error_body(
    message: str,
    *,
    type: str,
    param: str | None = None,
    code: str | None = None,
    errors: Sequence[FieldError] | None = None,
) -> dict[str, object]:
    """The protocol's error object; several `errors` stand beside it, each as {message, param, code}."""
    body: dict[str, object] = {"error": {"message": message, "type": type, "param": param, "code": code}}
    if errors and len(errors) > 1:
        body["errors"] = [{"message": e.message, "param": e.path or None, "code": code} for e in errors]
    return body


def mistakes_body(errors: Sequence[FieldError], *, code: str | None = None) -> dict[str, object]:
    """The body of a 400 that tells all mistakes at once; the first one is also the error's own message."""
    first = errors[0]
    place = f"{first.path}: " if first.path else ""
    more = f" (and {len(errors) - 1} more, see errors)" if len(errors) > 1 else ""
    message = f"{place}{first.message}{more}"
    return error_body(message, type=type_of_error, param=first.path or None, code=code, errors=errors)


def flatten(messages: object, prefix: str = "") -> list[FieldError]:
    """Nested marshmallow messages as a flat list, in their own order.

    No more than MAX_MISTAKES are listed; a last entry says so if there are others.
    """
    found = list(islice(_walk(messages, prefix), MAX_MISTAKES + 1))
    if len(found) > MAX_MISTAKES:
        found[-1] = FieldError(path=prefix, message=f"has more mistakes; the first {MAX_MISTAKES} are listed")
    return found


def _walk(messages: object, path: str) -> Iterator[FieldError]:
    if isinstance(messages, Mapping):
        for key, below in messages.items():
            yield from _walk(below, path if key == SCHEMA else join(path, key))
    elif isinstance(messages, list):
        for message in messages:
            yield from _walk(message, path)
    else:
        yield FieldError(path=path, message=str(messages))


def join(path: str, key: object) -> str:
    """The path one step further down: `[0]` for an index, `.name` for a name, `["odd name"]` for any other key."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    name = cut(str(key))
    if _plain_name.fullmatch(name):
        return f"{path}.{name}" if path else name
    return f"{path}[{json.dumps(name)}]"


def cut(text: str) -> str:
    """The text, or its beginning if it is long: no message repeats a whole value."""
    return text if len(text) <= MAX_SHOWN_CHARACTERS else text[: MAX_SHOWN_CHARACTERS - 1] + "…"


def shown(value: object) -> str:
    """A value as a message shows it: short, on one line, objects and lists by their kind only."""
    match value:
        case str():
            return json.dumps(cut(value), ensure_ascii=False)
        case None | bool():
            return json.dumps(value)
        case int() if abs(value) < 1 << 64:
            return str(value)
        case float():
            return repr(value)
        case _:
            return kind(value)


def kind(value: object) -> str:
    """The JSON type of a value, with its article."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case str():
            return "a string"
        case int() | float():
            return "a number"
        case list() | tuple():
            return "a list"
        case _:
            return "an object"
