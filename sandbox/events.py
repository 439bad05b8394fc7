"""A Response as the events of a stream, in the protocol's order, and the bytes they travel as."""

import json
import re
from collections.abc import Iterator
from itertools import count
from typing import Any

Event = dict[str, Any]

DONE = b"data: [DONE]\n\n"
_WORD = re.compile(r"\s*\S+|\s+")


def events(response: dict[str, Any]) -> Iterator[Event]:
    """All events of a full Response, numbered from 0; text comes in deltas of one word."""
    numbers = count()
    for event in _unnumbered(response):
        yield {**event, "sequence_number": next(numbers)}


def encode_event(event: Event) -> bytes:
    """One event as the bytes of one write."""
    return f"event: {event['type']}\n".encode() + encode_data(event)


def encode_data(event: Event) -> bytes:
    """One event without its `event:` line."""
    return f"data: {json.dumps(event)}\n\n".encode()


def _unnumbered(response: dict[str, Any]) -> Iterator[Event]:
    started = {**response, "status": "in_progress", "completed_at": None, "incomplete_details": None}
    started |= {"output": [], "usage": None}
    yield {"type": "response.created", "response": started}
    yield {"type": "response.in_progress", "response": started}
    for index, item in enumerate(response["output"]):
        yield from _item_events(item, index)
    yield {"type": f"response.{response['status']}", "response": response}


def _item_events(item: dict[str, Any], index: int) -> Iterator[Event]:
    place = {"item_id": item["id"], "output_index": index}
    hollow = {**item, "status": "in_progress"}
    match item["type"]:
        case "message":
            body = _part_events(item["content"][0], {**place, "content_index": 0})
            hollow["content"] = []
        case "reasoning":
            body = _summary_events(item["summary"][0], {**place, "summary_index": 0})
            hollow["summary"] = []
        case _:
            body = _argument_events(item, place)
            hollow["arguments"] = ""
    yield {"type": "response.output_item.added", "output_index": index, "item": hollow}
    yield from body
    yield {"type": "response.output_item.done", "output_index": index, "item": item}


def _part_events(part: dict[str, Any], place: dict[str, Any]) -> Iterator[Event]:
    text = part["text"]
    yield {"type": "response.content_part.added", **place, "part": {**part, "text": ""}}
    for word in _WORD.findall(text):
        yield {"type": "response.output_text.delta", **place, "delta": word, "logprobs": []}
    yield {"type": "response.output_text.done", **place, "text": text, "logprobs": []}
    yield {"type": "response.content_part.done", **place, "part": part}


def _summary_events(part: dict[str, Any], place: dict[str, Any]) -> Iterator[Event]:
    text = part["text"]
    yield {"type": "response.reasoning_summary_part.added", **place, "part": {**part, "text": ""}}
    for word in _WORD.findall(text):
        yield {"type": "response.reasoning_summary_text.delta", **place, "delta": word}
    yield {"type": "response.reasoning_summary_text.done", **place, "text": text}
    yield {"type": "response.reasoning_summary_part.done", **place, "part": part}


def _argument_events(item: dict[str, Any], place: dict[str, Any]) -> Iterator[Event]:
    for word in _WORD.findall(item["arguments"]):
        yield {"type": "response.function_call_arguments.delta", **place, "delta": word}
    done = {"name": item["name"], "arguments": item["arguments"]}
    yield {"type": "response.function_call_arguments.done", **place, **done}
