"""Reading a Responses event stream down to its last state."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from worker.upstream_json import parse_object

TERMINAL = {"response.completed", "response.incomplete", "response.failed", "response.cancelled"}


class BrokenStream(ValueError):
    """An event is no JSON object."""


@dataclass(slots=True, kw_only=True)
class LastState:
    """What the events said so far. `response` is set by the event that ends the stream, `error` by an error event;
    `response_id` by the first event that has it.
    """

    response_id: str | None = None
    response: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    items: dict[int, dict[str, Any]] = field(default_factory=dict)

    def take(self, event: dict[str, Any]) -> None:
        told = event.get("type")
        kind = told if isinstance(told, str) else ""
        response = event.get("response")
        if self.response_id is None and isinstance(response, dict) and isinstance(response.get("id"), str):
            self.response_id = response["id"]
        if kind in TERMINAL and isinstance(response, dict):
            self.response = self._whole(response, kind)
        elif kind == "response.output_item.done" and isinstance(event.get("item"), dict):
            self.items[_position(event, len(self.items))] = event["item"]
        elif kind == "error" or event.get("error"):
            self.error = event["error"] if isinstance(event.get("error"), dict) else event

    def _whole(self, response: dict[str, Any], kind: str) -> dict[str, Any]:
        """Some endpoints send the items in their own events alone, or leave the status to the event's name."""
        whole = {"status": kind.removeprefix("response."), **response}
        if not whole.get("output") and self.items:
            whole["output"] = [self.items[position] for position in sorted(self.items)]
        return whole


def _position(event: dict[str, Any], otherwise: int) -> int:
    position = event.get("output_index")
    return position if type(position) is int else otherwise


def last_state(
    chunks: Iterable[bytes],
    *,
    state: LastState | None = None,
    tell: Callable[[dict[str, Any]], None] | None = None,
) -> LastState:
    """Follows the events, with or without `event:` lines and `[DONE]`, until the one that ends the response.

    A `state` that is given is filled in, and keeps what was said before the stream broke. `tell` is given each event
    but the last as soon as it has come.
    Raises BrokenStream, and whatever `chunks` raises.
    """
    state = state or LastState()
    for name, data in _events(_lines(chunks)):
        if data == b"[DONE]":
            break
        event = _event(name, data)
        if event is not None:
            state.take(event)
        if state.response is not None or state.error is not None:
            break
        if tell is not None and event is not None:
            tell(event)
    return state


def _event(name: str, data: bytes) -> dict[str, Any] | None:
    """The event, its type that of its `event:` line if it says none; None for one that is none of the protocol's."""
    try:
        event = parse_object(data)
    except ValueError as error:
        if name and name != "error" and not name.startswith("response."):
            return None  # a ping, say
        raise BrokenStream("an event is no JSON object") from error
    return event if "type" in event or not name else {**event, "type": name}


def _events(lines: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """The name and the data of each event that has data; comments and other fields are passed over."""
    name, held = "", list[bytes]()
    for line in lines:
        if line.startswith(b"data:"):
            held.append(line[5:].removeprefix(b" "))
        elif line.startswith(b"event:"):
            name = line[6:].strip().decode(errors="replace")
        elif not line:
            if any(held):
                yield name, b"\n".join(held)
            name, held = "", []
    if any(held):
        yield name, b"\n".join(held)


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines that end with LF, CRLF or CR, without their ends, as soon as they are whole; no byte order mark."""
    begun: list[bytes] = []
    for chunk in _unmarked(chunks):
        begun.append(chunk)
        if b"\n" in chunk or b"\r" in chunk:
            whole = b"".join(begun)
            # A CR at the end may be half of a CRLF.
            held = b"\r" if whole.endswith(b"\r") else b""
            *lines, rest = whole.removesuffix(held).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
            begun = [rest + held]
            yield from lines
    if last := b"".join(begun).removesuffix(b"\r"):
        yield last


def _unmarked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for place, chunk in enumerate(chunks):
        yield chunk.removeprefix(codecs.BOM_UTF8) if place == 0 else chunk
