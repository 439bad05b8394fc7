"""What a page is told over its stream: the events of it, and the answer that carries them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from flask import Response, stream_with_context

STREAM = "text/event-stream"
PING = b": ping\n\n"


def frame(kind: str, data: Any) -> bytes:
    """One event of a stream."""
    return f"event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def answer_with(events: Iterator[bytes]) -> Response:
    """The stream as an answer."""
    answer = Response(stream_with_context(events), mimetype=STREAM)
    answer.headers["X-Accel-Buffering"] = "no"  # for proxies that would gather it
    return answer


def refusal(message: str) -> bytes:
    """The event after which the page is not to ask again, and says why."""
    return frame("refused", message)


def refused(message: str) -> Response:
    """A stream of that alone: of an answer that is no stream, a page learns nothing but that there was none."""
    return Response(refusal(message), mimetype=STREAM)
