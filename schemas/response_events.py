"""The items of a Response as the events of a stream, in the protocol's order: the same at every reading."""

from collections.abc import Iterator, Mapping
from typing import Any

Event = dict[str, Any]


def item_events(response: Mapping[str, Any]) -> Iterator[Event]:
    """The events, without numbers, that tell the whole output of a complete Response; each text is one delta."""
    for index, item in enumerate(response["output"]):
        place = {"item_id": item["id"], "output_index": index}
        yield {"type": "response.output_item.added", "output_index": index, "item": _hollow(item)}
        yield from _inner_events(item, place)
        yield {"type": "response.output_item.done", "output_index": index, "item": item}


def _hollow(item: Event) -> Event:
    """The item as it is when it begins."""
    begun = {**item, "status": "in_progress"} if "status" in item else dict(item)
    match item["type"]:
        case "message":
            begun["content"] = []
        case "reasoning":
            begun["summary"] = []
            begun.pop("content", None)
        case "function_call":
            begun["arguments"] = ""
    return begun


def _inner_events(item: Event, place: Event) -> Iterator[Event]:
    match item["type"]:
        case "message":
            for index, part in enumerate(item["content"]):
                yield from _content_events(part, {**place, "content_index": index})
        case "reasoning":
            for index, part in enumerate(item["summary"]):
                yield from _summary_events(part, {**place, "summary_index": index})
            for index, part in enumerate(item.get("content") or []):
                yield from _content_events(part, {**place, "content_index": index})
        case "function_call":
            done = {"name": item["name"], "arguments": item["arguments"]}
            yield from _text_events("response.function_call_arguments", place, item["arguments"], done)


def _content_events(part: Event, place: Event) -> Iterator[Event]:
    hollow, inner = _texts_of(part, place)
    yield {"type": "response.content_part.added", **place, "part": hollow}
    yield from inner
    yield {"type": "response.content_part.done", **place, "part": part}


def _texts_of(part: Event, place: Event) -> tuple[Event, Iterator[Event]]:
    """The part as it is when it begins, and the events that tell its text."""
    match part.get("type"):
        case "output_text":
            hollow = {**part, "text": "", "annotations": [], "logprobs": []}
            return hollow, _output_text_events(part, place)
        case "refusal":
            done = {"refusal": part["refusal"]}
            return {**part, "refusal": ""}, _text_events("response.refusal", place, part["refusal"], done)
        case "reasoning_text":
            done = {"text": part["text"]}
            return {**part, "text": ""}, _text_events("response.reasoning_text", place, part["text"], done)
        case _:
            return part, iter(())


def _output_text_events(part: Event, place: Event) -> Iterator[Event]:
    text, logprobs = part["text"], part["logprobs"]
    if text:
        yield {"type": "response.output_text.delta", **place, "delta": text, "logprobs": logprobs}
    for index, annotation in enumerate(part["annotations"]):
        kind = "response.output_text.annotation.added"
        yield {"type": kind, **place, "annotation_index": index, "annotation": annotation}
    yield {"type": "response.output_text.done", **place, "text": text, "logprobs": logprobs}


def _summary_events(part: Event, place: Event) -> Iterator[Event]:
    done = {"text": part["text"]}
    yield {"type": "response.reasoning_summary_part.added", **place, "part": {**part, "text": ""}}
    yield from _text_events("response.reasoning_summary_text", place, part["text"], done)
    yield {"type": "response.reasoning_summary_part.done", **place, "part": part}


def _text_events(stem: str, place: Event, text: str, done: Event) -> Iterator[Event]:
    """One delta, unless there is no text, and what ends it."""
    if text:
        yield {"type": f"{stem}.delta", **place, "delta": text}
    yield {"type": f"{stem}.done", **place, **done}
