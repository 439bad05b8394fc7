"""What the endpoint of the benchmarks answers: a small Response, whole or as a stream."""

from __future__ import annotations

import json
from typing import Any

MODEL = "doubao-seed-1-6-251015"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
USAGE = {
    "input_tokens": 12,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 3,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 15,
}
ITEM: dict[str, Any] = {"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
PART: dict[str, Any] = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
PLACE = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
DONE = {**ITEM, "status": "completed", "content": [{**PART, "text": "Hello there."}]}
RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1767225600,
    "status": "completed",
    "model": MODEL,
    "output": [DONE],
    "usage": USAGE,
}
ANSWER = json.dumps(RESPONSE).encode()


def _event(kind: str, **fields: Any) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), json.dumps({"type": kind, **fields}).encode())


def opening_events() -> bytes:
    begun = {**RESPONSE, "status": "in_progress", "output": [], "usage": None}
    return (
        _event("response.created", response=begun)
        + _event("response.output_item.added", output_index=0, item=ITEM)
        + _event("response.content_part.added", **PLACE, part=PART)
    )


def delta_event(text: str) -> bytes:
    return _event("response.output_text.delta", **PLACE, delta=text, logprobs=[])


def closing_events() -> bytes:
    part = DONE["content"][0]
    return (
        _event("response.output_text.done", **PLACE, text=part["text"], logprobs=[])
        + _event("response.content_part.done", **PLACE, part=part)
        + _event("response.output_item.done", output_index=0, item=DONE)
        + _event("response.completed", response=RESPONSE)
    )
