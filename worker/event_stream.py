"""Reading a Responses event stream down to its last state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from worker.upstream_json import parse_object

TERMINAL = {"response.completed", "response.incomplete", "response.failed", "response.cancelled"}


class BrokenStream(ValueError):
    """An event is no JSON object."""


@dataclass(slots=True, kw_only=True)
class LastState:
    """What the events said so far. `response` is set by the event that ends the stream, `error` by an error event."""

    response: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    items: dict[int, dict[str, Any]] = field(default_factory=dict)

    def take(self, event: dict[str, Any]) -> None:
        kind = event.get("type")
        response = event.get("response")
        if kind in TERMINAL and isinstance(response, dict):
            self.response = self._whole(response, str(kind))
        elif kind == "response.output_item.done" and isinstance(event.get("item"), dict):
            self.items[_position(event, len(self.items))] = event["item"]
        elif kind == "error" or isinstance(event.get("error"), dict):
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


def last_state(chunks: Iterable[bytes]) -> LastState:
    """Follows the events, with or without `event:` lines and `[DONE]`, until the one that ends the response.

    Raises BrokenStream, and whatever `chunks` raises.
    """
    state = LastState()
    for data in _data(_lines(chunks)):
        if data == b"[DONE]":
            break
        state.take(_event(data))
        if state.response is not None or state.error is not None:
            break
    return state


def _event(data: bytes) -> dict[str, Any]:
    try:
        return parse_object(data)
    except ValueError as error:
        raise BrokenStream("an event is no JSON object") from error


def _data(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The data of each event; comments and other fields are passed over."""
    held: list[bytes] = []
    for line in lines:
        if line.startswith(b"data:"):
            held.append(line[5:].removeprefix(b" "))
        elif not line and held:
            yield b"\n".join(held)
            held = []
    if held:
        yield b"\n".join(held)


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines that end with LF or CRLF, without their ends, as soon as they are whole."""
    rest: list[bytes] = []
    for chunk in chunks:
        first, *others = chunk.split(b"\n")
        rest.append(first)
        if others:
            yield b"".join(rest).removesuffix(b"\r")
            yield from (line.removesuffix(b"\r") for line in others[:-1])
            rest = [others[-1]]
    if last := b"".join(rest):
        yield last.removesuffix(b"\r")
