"""The answer that streams a response: its events so far, then as they come (text/event-stream)."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from flask import Response, request, stream_with_context

from api.log_reader import LogReader
from api.services import services

SEND_SECONDS = 30.0
"""In which a reader must have taken a piece; a slower one is cut off, and may go on from where it was."""
PIECE_BYTES = 64 * 1024
"""More than that is written in pieces, so that one who reads on is not cut off over it, again and again."""


def stream_response(number: str, *, after: int | None) -> Response:
    """Follows the job `number` from behind the event numbered `after` (None: from the first) to its end.

    Raises JobNotFound, StoreUnavailable.
    """
    services().store.get(number, project=None)
    reader = LogReader(number, after=-1 if after is None else after)
    connection: socket.socket | None = request.environ.get("gunicorn.socket")
    answer = Response(stream_with_context(_events(reader, connection)), mimetype="text/event-stream")
    answer.headers["X-Accel-Buffering"] = "no"  # for proxies that would gather it
    return answer


def _events(reader: LogReader, connection: socket.socket | None) -> Iterator[bytes]:
    if connection is None:
        yield from reader.read()
    else:
        with _impatient(connection):
            yield from pieces(reader.read())
            if not reader.over:
                _break_off(connection)


def pieces(events: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, none of them longer than PIECE_BYTES; what is no longer stays in one."""
    for event in events:
        for start in range(0, len(event), PIECE_BYTES):
            yield event[start : start + PIECE_BYTES]


def _break_off(connection: socket.socket) -> None:
    """So that nobody takes what came for the whole answer."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def _impatient(connection: socket.socket) -> Iterator[None]:
    before = connection.gettimeout()
    connection.settimeout(SEND_SECONDS)
    try:
        yield
    finally:
        connection.settimeout(before)
