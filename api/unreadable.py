"""What a client hears whose request is no HTTP."""

from __future__ import annotations

import json
import socket
from http import HTTPStatus

from gunicorn import util

from schemas.error import error_body


def answer_in_our_words() -> None:
    """Has gunicorn of this process refuse as the API does: its own page repeats what came, which may hold a key."""
    util.write_error = _write_error


def _write_error(connection: socket.socket, status: int, _reason: str, _text: str) -> None:
    util.write_nonblock(connection, answer_of(HTTPStatus(status)))


def answer_of(status: HTTPStatus) -> bytes:
    """The whole answer, after which the connection is closed."""
    kind = "invalid_request_error" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "server_error"
    code = status.phrase.lower().replace(" ", "_").replace("-", "_")
    body = json.dumps(error_body(f"The request cannot be served: {status.phrase}.", type=kind, code=code)) + "\n"
    head = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*head, "", body]).encode()
