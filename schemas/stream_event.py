"""The events of one stream as they are handed on: whole, whatever the endpoint left out of them."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.output import complete_item
from schemas.output_text import complete_parts, complete_texts

Event = dict[str, Any]

# What a stream says of the response as a whole is told from the job's record, so that it agrees with a poll.
TOLD_OTHERWISE = frozenset(
    {
        "error",
        "keepalive",
        "ping",
        "response.created",
        "response.queued",
        "response.in_progress",
        "response.completed",
        "response.incomplete",
        "response.failed",
        "response.cancelled",
    }
)
ADDED, DONE = "response.output_item.added", "response.output_item.done"
PLACES = (ADDED, DONE)
"""The types of the events that say which places of the answer are taken."""

_type = re.compile(r"[!-~]{1,128}\Z")
_line_ends = {ord(mark): f"\\u{ord(mark):04x}" for mark in "\x85\u2028\u2029"}

# By type: in which list of its item an event has its place, and which text it brings.
_texts: dict[str, tuple[str | None, str]] = {
    "response.output_text.delta": ("content_index", "delta"),
    "response.output_text.done": ("content_index", "text"),
    "response.refusal.delta": ("content_index", "delta"),
    "response.refusal.done": ("content_index", "refusal"),
    "response.reasoning_text.delta": ("content_index", "delta"),
    "response.reasoning_text.done": ("content_index", "text"),
    "response.reasoning_summary_text.delta": ("summary_index", "delta"),
    "response.reasoning_summary_text.done": ("summary_index", "text"),
    "response.function_call_arguments.delta": (None, "delta"),
    "response.function_call_arguments.done": (None, "arguments"),
}
_parts = {
    "response.content_part": "content_index",
    "response.reasoning_summary_part": "summary_index",
}


def encode(event: Mapping[str, Any]) -> bytes:
    """The event as JSON without any character that some readers take for the end of a line."""
    text = json.dumps(event, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return (text if text.isascii() else text.translate(_line_ends)).encode()


@dataclass(slots=True, kw_only=True)
class _Item:
    """An item that was begun, and how many parts of each list of it were."""

    id: str
    name: object
    begun: dict[str, int] = field(default_factory=lambda: {"content_index": 0, "summary_index": 0})
    done: bool = False


class StreamEvents:
    """Completes the events of one stream, given in their order: it knows the items and parts that were begun, so that
    an event gets the id and the place that it lacks.
    """

    def __init__(self, response_id: str) -> None:
        self._response_id = response_id
        self._items: dict[int, _Item] = {}
        self._latest = 0
        self.lossy = False
        """Whether an event was left out, since it says too little, or tells more of what was never begun."""

    @property
    def items_done(self) -> int:
        return sum(item.done for item in self._items.values())

    def complete(self, event: Mapping[str, Any]) -> Event | None:
        """The whole event without its number; None for one that is not handed on. Unknown types stay as they are."""
        kind = event.get("type")
        if not isinstance(kind, str) or not _type.match(kind) or kind in TOLD_OTHERWISE:
            return None
        given = {name: found for name, found in event.items() if name != "sequence_number"}
        whole = self._whole(kind, given)
        self.lossy = self.lossy or whole is None
        return whole

    def _whole(self, kind: str, event: Event) -> Event | None:
        stem, _, step = kind.rpartition(".")
        if stem == "response.output_item":
            return self._item(event, step)
        if stem in _parts:
            return self._part(event, step, _parts[stem])
        if kind in _texts:
            return self._text(event, kind, *_texts[kind])
        if kind == "response.output_text.annotation.added":
            return self._placed({"annotation_index": 0} | event, "content_index")
        return event

    def _item(self, event: Event, step: str) -> Event | None:
        item, begins = event.get("item"), step == "added"
        index = _whole_number(event.get("output_index"), len(self._items) if begins else self._latest)
        if not isinstance(item, Mapping) or (begins == (index in self._items)):
            return None
        kind = item.get("type")
        kind = kind if isinstance(kind, str) else "message"
        if begins and kind == "function_call":
            item = {"arguments": ""} | dict(item)
        if not begins:
            item = {"id": self._items[index].id} | dict(item)
        status = "in_progress" if begins else "completed"
        whole = complete_item(item, type=kind, response_id=self._response_id, index=index, status=status)
        if begins:
            self._items[index] = _Item(id=whole["id"], name=whole.get("name"))
            self._latest = index
        self._items[index].done = not begins
        return event | {"output_index": index, "item": whole}

    def _part(self, event: Event, step: str, place: str) -> Event | None:
        item = self._items.get(self._index(event))
        given, begins = event.get("part"), step == "added"
        if item is None:
            return None
        at = _whole_number(event.get(place), item.begun[place] - (not begins))
        if begins:
            item.begun[place] = max(item.begun[place], at + 1)
        if place == "summary_index":
            parts = complete_texts(given, type="summary_text") or [{"type": "summary_text", "text": ""}]
        else:
            parts = complete_parts(given if isinstance(given, Mapping) else {})
        return self._placed(event | {"part": parts[0], place: at}, place) if parts else None

    def _text(self, event: Event, kind: str, place: str | None, text: str) -> Event | None:
        placed = self._placed(event, place)
        if placed is None or not isinstance(event.get(text), str):
            return None
        if kind.startswith("response.output_text."):
            placed["logprobs"] = complete_parts({"text": "", "logprobs": event.get("logprobs")})[0]["logprobs"]
        elif kind == "response.function_call_arguments.done" and not isinstance(event.get("name"), str):
            placed["name"] = self._items[placed["output_index"]].name or ""
        return placed

    def _placed(self, event: Event, place: str | None) -> Event | None:
        """The event with the place that it belongs to; None where nothing was begun there."""
        index = self._index(event)
        item = self._items.get(index)
        if item is None:
            return None
        whole = event | {"item_id": item.id, "output_index": index}
        if place is not None:
            whole[place] = _whole_number(event.get(place), item.begun[place] - 1)
            if not 0 <= whole[place] < item.begun[place]:
                return None
        return whole

    def _index(self, event: Event) -> int:
        """Of which item the event tells: by its index, by its id, or the latest one."""
        by_id = next((at for at, item in self._items.items() if item.id == event.get("item_id")), self._latest)
        return _whole_number(event.get("output_index"), by_id)


def _whole_number(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else otherwise
