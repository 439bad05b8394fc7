"""JSON text read strictly: one meaning for every reader, and no text that could hurt the one who reads it."""

import codecs
import json
import math
import re
from itertools import accumulate
from typing import Any, NoReturn, TypeAlias

from schemas.error import InvalidJson
from schemas.mistakes import cut, join

JSONValue: TypeAlias = "dict[str, JSONValue] | list[JSONValue] | str | int | float | bool | None"

MAX_DEPTH = 64
MAX_VALUES = 200_000
"""More than any request has use for; reading and checking them would hold the reader for a second."""
INTEGER_BOUND = 1 << 64

_surrogate_escape = re.compile(rb"\\u[dD][89a-fA-F]")
# An opening bracket is one level down, a closing one, read as a signed byte, one level up; a comma is none.
_levels = bytes.maketrans(b"[{]},", b"\x01\x01\xff\xff\x00")
_not_skeleton = bytes(b for b in range(256) if b not in b'"[]{},')


def parse(body: bytes, *, max_depth: int = MAX_DEPTH) -> JSONValue:
    """The value that a body in UTF-8 holds; any text with a doubtful meaning raises InvalidJson.

    Refused: other encodings, a byte order mark, NaN and infinities, numbers too large for a double or an integer
    of 64 bits, signed or not, a key given twice, half of a surrogate pair, nesting beyond `max_depth` lists and
    objects, more than MAX_VALUES values.
    """
    text = _decode(body)
    if not text.strip(" \t\r\n"):
        raise InvalidJson("the body is empty; a JSON object is wanted")
    _refuse_masses(body, max_depth)
    value = _load(text)
    if _surrogate_escape.search(body):
        _refuse_lone_surrogates(value)
    return value


def _decode(body: bytes) -> str:
    if body.startswith(codecs.BOM_UTF8):
        raise InvalidJson("the body begins with a byte order mark; send UTF-8 without one")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise InvalidJson(f"the body is not UTF-8: wrong byte at position {error.start}") from error


def _refuse_masses(body: bytes, max_depth: int) -> None:
    """Judges by the brackets and commas outside strings, before anything is built; bytes methods only cost little."""
    if body.count(b"[") + body.count(b"{") <= max_depth and body.count(b",") < MAX_VALUES:
        return
    unescaped = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    # Two neighbouring quotes enclose nothing here, so dropping them leaves inside and outside as they are.
    quoted = unescaped.translate(_levels, _not_skeleton).replace(b'""', b"")
    outside = b"".join(quoted.split(b'"')[::2])
    beginning = memoryview(outside)[: 4 * MAX_VALUES].cast("b")
    if max(accumulate(beginning), default=0) > max_depth:
        raise InvalidJson(f"the JSON is nested more than {max_depth} levels deep")
    if outside.count(b"\x00") >= MAX_VALUES or outside.count(b"\x01") > MAX_VALUES:
        raise InvalidJson(f"the JSON holds more than {MAX_VALUES} values")


def _load(text: str) -> JSONValue:
    try:
        value: JSONValue = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_float,
            parse_int=_integer,
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise InvalidJson(f"the body is not JSON: {error.msg} at {place}") from error
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise InvalidJson(f"the key {json.dumps(cut(twice))} stands twice in one object", join("", twice))
    return found


def _constant(name: str) -> NoReturn:
    raise InvalidJson(f"the body is not JSON: {name} is no JSON number")


def _float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise InvalidJson(f"the number {cut(digits)} is too large")
    return number


def _integer(digits: str) -> int:
    # The length goes first: Python refuses to read an integer of thousands of digits at all.
    if len(digits) > 20 or not -INTEGER_BOUND <= int(digits) < INTEGER_BOUND:
        raise InvalidJson(f"the integer {cut(digits)} does not fit into 64 bits")
    return int(digits)


def _refuse_lone_surrogates(value: JSONValue) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        message = "a string holds half of a surrogate pair, which is no Unicode character"
        raise InvalidJson(message, _path_of_surrogate(value)) from error


def _path_of_surrogate(value: JSONValue) -> str | None:
    """Where the first string stands that UTF-8 cannot carry; for a key, the object that has it."""
    waiting: list[tuple[str, JSONValue]] = [("", value)]
    while waiting:
        path, found = waiting.pop()
        match found:
            case str() if not _encodable(found):
                return path or None
            case dict():
                if not all(map(_encodable, found)):
                    return path or None
                waiting.extend((join(path, key), below) for key, below in reversed(found.items()))
            case list():
                waiting.extend((join(path, i), found[i]) for i in reversed(range(len(found))))
    return None


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
