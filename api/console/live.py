"""Pages that stay true without being loaded again: their parts, drawn anew and sent where they changed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flask import Response, stream_with_context

from api.console.door import session
from api.services import services
from jobs.errors import StoreUnavailable

PING = b": ping\n\n"
LOOK_SECONDS = 5.0
"""What depends on the clock alone, such as a rate or a lease, is looked at this often while a page is open."""

REST_SECONDS = 1.0
"""However much happens, a page is not drawn more often."""

LIFE_SECONDS = 900.0
"""After which a stream ends; the browser asks for it again."""

Parts = Mapping[str, str]


def frame(kind: str, data: Any) -> bytes:
    """One event of a stream."""
    return f"event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def answer_with(events: Iterator[bytes]) -> Response:
    """The stream as an answer."""
    answer = Response(stream_with_context(events), mimetype="text/event-stream")
    answer.headers["X-Accel-Buffering"] = "no"  # for proxies that would gather it
    return answer


def followed(draw: Callable[[], Parts]) -> Iterator[bytes]:
    """The parts that `draw` gives (HTML by the id of its element), each whenever it has become another."""
    shown = Shown()
    until = time.monotonic() + LIFE_SECONDS
    with services().happenings.heard() as wait:
        while time.monotonic() < until:
            try:
                if services().sessions.key_of(session()) is None:
                    return
                yield shown.news(draw())
            except StoreUnavailable:
                yield PING
            if wait(LOOK_SECONDS):
                time.sleep(REST_SECONDS)


class Shown:
    """What a page shows already."""

    def __init__(self) -> None:
        self._parts: dict[str, str] = {}

    def news(self, parts: Parts) -> bytes:
        """The event that tells what is new, or a comment."""
        changed = {name: html for name, html in parts.items() if self._parts.get(name) != html}
        self._parts.update(changed)
        return frame("parts", changed) if changed else PING
