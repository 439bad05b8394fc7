"""A refused body is not read to its end: the connection is closed once the client had a moment to see the answer."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from gunicorn.http.errors import ParseException
from werkzeug.wsgi import ClosingIterator

from api.paced import within

REFUSED = ("401", "408", "413", "415", "501")
GARBLED = "respool.garbled"
"""In the WSGI environment: the body is framed wrongly, so that nobody knows where another request would begin."""
MOST_BYTES = 4 * 1024 * 1024
MOST_SECONDS = 1.0
CHUNK_BYTES = 64 * 1024


def close_refused(app: WSGIApplication) -> WSGIApplication:
    """`app`, with gunicorn told to close the connection of a request whose body was refused unread.

    gunicorn would keep it and swallow the rest of the body, however long that is.
    """

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        refused = False

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Callable[[bytes], object]:
            nonlocal refused
            answer = getattr(start_response, "__self__", None)
            unread = status.startswith(REFUSED) or environ.get(GARBLED, False)
            refused = unread and hasattr(answer, "force_close") and _has_body(environ)
            if refused:
                answer.force_close()  # type: ignore[union-attr]  # gunicorn's Response
            return start_response(status, headers, *rest)

        return ClosingIterator(app(environ, start), lambda: _linger(environ) if refused else None)

    return serve


def _has_body(environ: WSGIEnvironment) -> bool:
    return environ.get("CONTENT_LENGTH", "") not in ("", "0") or "HTTP_TRANSFER_ENCODING" in environ


def _linger(environ: WSGIEnvironment) -> None:
    """Drops a little of what still comes: a connection that is closed over unread bytes takes the answer with it."""
    end, left = time.monotonic() + MOST_SECONDS, MOST_BYTES
    connection, body = environ["gunicorn.socket"], environ["wsgi.input"]
    with contextlib.suppress(OSError, ValueError, ParseException), within(MOST_SECONDS, False):
        connection.settimeout(MOST_SECONDS)  # of each of the many waits in one read
        while left > 0 and time.monotonic() < end:
            chunk = body.read(CHUNK_BYTES)
            if not chunk:
                return
            left -= len(chunk)
