"""A response in the background as the protocol has it: what is asked for, and what the first answer says."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from worker.judgement import ended_response
from worker.responses_client import Answer
from worker.upstream_error import read_error
from worker.upstream_json import parse_object

MOST_ID_CHARACTERS = 256
PENDING = ("queued", "in_progress")
REFUSALS = (400, 404, 422)
NOT_SUPPORTED = re.compile(
    r"\bbackground\b.{0,60}(support|unknown|unrecogni|unexpected|invalid|allow|permit|avail|extra)"
    r"|(support|unknown|unrecogni|unexpected|invalid|allow|permit|avail|extra).{0,60}\bbackground\b",
    re.IGNORECASE | re.DOTALL,
)


def in_background(body: bytes) -> bytes | None:
    """The request made one for a background response; None where it says that the upstream must not store it."""
    request = json.loads(body)
    if request.get("store") is False:
        return None
    request.pop("stream_options", None)
    return _encoded(request | {"background": True, "stream": False, "store": True})


def streamed_in_background(body: bytes) -> bytes:
    """The request made one for a background response that is streamed as it is made."""
    return _encoded(json.loads(body) | {"background": True, "stream": True, "store": True})


def _encoded(asked: dict[str, Any]) -> bytes:
    return json.dumps(asked, ensure_ascii=False, separators=(",", ":")).encode()


def begun_id(answer: Answer) -> str | None:
    """The id of a response that the upstream has begun and not ended."""
    upstream = _decoded(answer) if 200 <= answer.http_status < 300 and answer.stream is None else {}
    return _fit_id(upstream.get("id")) if upstream.get("status") in PENDING else None


def told_id(event: Mapping[str, Any]) -> str | None:
    """The id of the background response that an event of its stream tells of."""
    response = event.get("response")
    if not isinstance(response, Mapping) or response.get("background") is False:
        return None
    return _fit_id(response.get("id"))


def _fit_id(told: object) -> str | None:
    """None for what is no id: one that is a path of its own would be another address."""
    if not isinstance(told, str):
        return None
    return told if 0 < len(told) <= MOST_ID_CHARACTERS and told.isprintable() and told not in (".", "..") else None


def refuses_background(answer: Answer, *, params: Collection[str] = ("background",)) -> bool:
    """Whether the upstream took no offence but at being asked for a background response: at one of `params`."""
    if answer.http_status not in REFUSALS:
        return False
    error = read_error(_decoded(answer))
    if error.param:
        return error.param in params
    return bool(NOT_SUPPORTED.search(error.message))


def has_result(answer: Answer) -> bool:
    """Whether the answer is a Response that came to a good end."""
    return (ended_response(answer) or {}).get("status") in ("completed", "incomplete")


def _decoded(answer: Answer) -> dict[str, Any]:
    try:
        return parse_object(answer.body)
    except ValueError:
        return {}
