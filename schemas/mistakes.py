"""Mistakes in a document: nested messages as a flat list of paths, and values as messages may show them."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from marshmallow.exceptions import SCHEMA

MAX_MISTAKES = 100
MAX_SHOWN_CHARACTERS = 40

_plain_name = re.compile(r"[A-Za-z_$][\w$-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """One mistake: `path` such as `input[0].content[1].fps` ("" is the whole body), `message` without the path."""

    path: str
    message: str


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
