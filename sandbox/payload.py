"""An answer as pieces of bytes, one for a JSON body, one an event for a stream; and the faults that lie in them."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.events import DONE, Event, encode_data, encode_event, events
from sandbox.faults import Fault
from sandbox.shapes import interrupted, misshape, with_float_times, with_int_codes

PADDING_PIECE_BYTES = 64 * 1024
JSON_TYPE = "application/json"
STREAM_TYPE = "text/event-stream; charset=utf-8"

STREAM_HEADERS = (("Cache-Control", "no-store"), ("X-Accel-Buffering", "no"))

_ENDS = {"completed", "incomplete", "failed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What is sent: `pieces` go out in one write each; `byte_count` is None where no length is told beforehand.

    `padding_bytes` of padding are made up while sending, in the last piece that holds a JSON object. `live` is sent
    instead of the pieces, as it comes.
    """

    content_type: str
    pieces: tuple[bytes, ...] = ()
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    padding_bytes: int = 0
    byte_count: int | None = None
    live: Iterator[bytes] | None = None

    def walk(self) -> Iterator[bytes]:
        """All bytes, padding included."""
        last = max((place for place, piece in enumerate(self.pieces) if b"{" in piece), default=-1)
        for place, piece in enumerate(self.pieces):
            if self.padding_bytes and place == last:
                yield from self._padded(piece)
            else:
                yield piece

    def _padded(self, piece: bytes) -> Iterator[bytes]:
        head, brace, rest = piece.partition(b"{")
        yield head + brace + b'"padding":"'
        for start in range(0, self.padding_bytes, PADDING_PIECE_BYTES):
            yield b"x" * min(PADDING_PIECE_BYTES, self.padding_bytes - start)
        yield (b'"' if rest.startswith(b"}") else b'",') + rest


def answer_payload(response: dict[str, Any], *, fault: Fault, is_stream: bool) -> Payload:
    """A Response as JSON or as a stream, with the faults `shape`, `json`, `huge` and `stream` in it."""
    if ("always" in fault.stream or is_stream) and "never" not in fault.stream:
        return _stream(response, fault)
    data = json.dumps(_quirky(_misshapen(response, fault), fault)).encode()
    if fault.json == "broken":
        data = data[: len(data) * 2 // 3]
    if fault.huge:
        return Payload(content_type=JSON_TYPE, pieces=(data,), padding_bytes=fault.huge)
    return Payload(content_type=JSON_TYPE, pieces=(data,), byte_count=len(data))


def _stream(response: dict[str, Any], fault: Fault) -> Payload:
    found = misshapen_end(list(events(response)), fault)
    if "error_event" in fault.stream:
        found = interrupted(found)
    pieces = list(map(encoder(fault), found))
    if fault.json == "broken":
        middle = len(pieces) // 2
        pieces[middle] = pieces[middle][: len(pieces[middle]) * 2 // 3] + b"\n\n"
    if "no_done" not in fault.stream:
        pieces.append(DONE)
    return Payload(content_type=STREAM_TYPE, pieces=tuple(pieces), headers=STREAM_HEADERS, padding_bytes=fault.huge)


def encoder(fault: Fault) -> Callable[[Event], bytes]:
    """How events become bytes, with the ways of `stream` that lie in each of them."""
    encode = encode_data if "no_event_lines" in fault.stream else encode_event
    return lambda event: encode(_quirky(event, fault))


def misshapen_end(found: list[Event], fault: Fault) -> list[Event]:
    """The events with the last one's Response misshapen, and its type after the status it then has."""
    end = found[-1]
    response = _misshapen(end["response"], fault)
    status = response.get("status") if isinstance(response, dict) else None
    kind = f"response.{status}" if isinstance(status, str) and status in _ENDS else end["type"]
    return [*found[:-1], {**end, "type": kind, "response": response}]


def _misshapen(response: dict[str, Any], fault: Fault) -> Any:
    return misshape(response, fault.shape, code=fault.code, message=fault.message)


def _quirky(value: Any, fault: Fault) -> Any:
    if "float_times" in fault.stream:
        value = with_float_times(value)
    return with_int_codes(value) if "int_codes" in fault.stream else value
