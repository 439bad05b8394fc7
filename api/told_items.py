"""The items that one reader of a stream was told: those of a repeated attempt get places behind what is void."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from schemas.stream_event import ADDED, DONE, PLACES, encode

MOST_CLOSED = 8
"""So many numbers are left for items that never came to their end."""

Event = dict[str, Any]


class ToldItems:
    """Clients put an answer together by `output_index`: at a place that was told before, two answers would be mixed."""

    def __init__(self) -> None:
        self._open: dict[int, Event] = {}
        self._next = self._moved_by = 0

    @property
    def moved(self) -> bool:
        """Whether events have other places for this reader than for others."""
        return self._moved_by > 0

    def restart(self) -> None:
        """What was told so far is void."""
        self._moved_by = self._next

    def placed(self, kind: str, event: bytes) -> bytes:
        """The event, JSON without its number, at its place for this reader."""
        if not (self.moved or kind in PLACES):
            return event
        whole: Event = json.loads(event)
        index = whole.get("output_index")
        if not isinstance(index, int):
            return event
        whole["output_index"] = index = index + self._moved_by
        self._next = max(self._next, index + 1)
        if kind == ADDED:
            self._open[index] = whole["item"]
        elif kind == DONE:
            self._open.pop(index, None)
        return encode(whole) if self.moved else event

    def closing(self, output: Sequence[Mapping[str, Any]]) -> Iterator[Event]:
        """What ends the void items that are still open, MOST_CLOSED of them, where none of `output` is the same."""
        kept = {item.get("id") for item in output}
        left = [(index, item) for index, item in self._open.items() if item.get("id") not in kept]
        for index, item in left[:MOST_CLOSED]:
            yield {"type": DONE, "output_index": index, "item": item | {"status": "incomplete"}}
