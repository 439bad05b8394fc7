"""How the bytes of an answer leave: at once, or slowly, or not to the end."""

import time
from collections.abc import Iterator
from http.client import responses as reasons

from sandbox.connection import Connection
from sandbox.faults import Fault
from sandbox.payload import Payload

HANG_SECONDS = 3_600.0


def deliver(payload: Payload, *, fault: Fault, connection: Connection) -> Iterator[bytes]:
    """The bytes for the server to send, with the faults `cut`, `stall`, `drip` and `pace` in their flow.

    One that is `live` sees to its own flow.
    """
    if fault.cut == "headers":
        yield b""  # makes the server send the head
        connection.cut()
    elif payload.live is not None:
        yield from payload.live
    elif fault.cut == "middle" or fault.stall:
        yield from _first_half(payload.pieces)
        if fault.stall:
            connection.wait(HANG_SECONDS)
        connection.cut()
    elif fault.drip:
        yield from _spread(b"".join(payload.pieces), seconds=fault.drip, connection=connection)
    elif fault.pace:
        yield from _paced(payload, seconds=fault.pace, connection=connection)
    else:
        yield from payload.walk()


def drip_head(payload: Payload, *, seconds: float, connection: Connection) -> None:
    """Send the answer past the server: its head byte by byte over `seconds`, then the body, then the end."""
    body = b"".join(payload.pieces)
    headers = [
        ("Content-Type", payload.content_type),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
        *payload.headers,
    ]
    lines = [f"HTTP/1.1 {payload.status} {reasons.get(payload.status, '')}"]
    lines += [f"{name}: {value}" for name, value in headers]
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    try:
        for byte in _spread(head, seconds=seconds, connection=connection):
            connection.send(byte)
        connection.send(body)
    except OSError:
        connection.has_left = True
    connection.cut()


def _first_half(pieces: tuple[bytes, ...]) -> tuple[bytes, ...]:
    if len(pieces) == 1:
        return (pieces[0][: len(pieces[0]) // 2],)
    return pieces[: len(pieces) // 2]


def _spread(data: bytes, *, seconds: float, connection: Connection) -> Iterator[bytes]:
    started = time.monotonic()
    for place in range(len(data)):
        late = time.monotonic() - started - seconds * place / len(data)
        if late < 0 and connection.wait(-late):
            return
        yield data[place : place + 1]


def _paced(payload: Payload, *, seconds: float, connection: Connection) -> Iterator[bytes]:
    for place, piece in enumerate(payload.pieces):
        if place and connection.wait(seconds):
            return
        yield piece
