"""The events of a small answer, complete."""

from typing import Any

ITEM = {"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
PART = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
PLACE = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
TEXT = {**PART, "text": "hi"}
DONE_ITEM = {**ITEM, "status": "completed", "content": [TEXT]}
STREAMED: list[dict[str, Any]] = [
    {"type": "response.output_item.added", "output_index": 0, "item": ITEM},
    {"type": "response.content_part.added", **PLACE, "part": PART},
    {"type": "response.output_text.delta", **PLACE, "delta": "hi", "logprobs": []},
    {"type": "response.output_text.done", **PLACE, "text": "hi", "logprobs": []},
    {"type": "response.content_part.done", **PLACE, "part": TEXT},
    {"type": "response.output_item.done", "output_index": 0, "item": DONE_ITEM},
]
