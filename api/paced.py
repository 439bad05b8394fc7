"""The body of a request comes at some pace, or its caller is let go: who drips holds a connection for no longer."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Literal
from wsgiref.types import InputStream, StartResponse, WSGIApplication, WSGIEnvironment

import gevent
from gevent import monkey

from api.refusal import Refusal

PIECE_BYTES = 64 * 1024
"""As much as is asked for at a time."""

PIECE_SECONDS = 30.0
"""In which a piece, or all that is left of a body, must come: 2 KiB a second, or a network that is away for a while."""


def paced(app: WSGIApplication) -> WSGIApplication:
    """`app`, to which reading a body that comes too slowly is a Refusal of 408."""

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.input"] = PacedBody(environ["wsgi.input"])
        return app(environ, start_response)

    return serve


class PacedBody:
    """The body as werkzeug reads it: by `read` alone, until nothing comes."""

    def __init__(self, body: InputStream) -> None:
        self._body = body

    def read(self, size: int = PIECE_BYTES) -> bytes:
        """A piece of at most so many bytes, PIECE_BYTES at most; nothing after the last. Raises Refusal."""
        piece = min(size, PIECE_BYTES) if size >= 0 else PIECE_BYTES
        with within(PIECE_SECONDS, _too_slow()):
            return self._body.read(piece)


def within(seconds: float, error: Exception | Literal[False]) -> AbstractContextManager[object]:
    """A block that waits for no longer than that: then it raises `error`, or with False just ends.

    Only under gevent, where waiting gives way to others; elsewhere whoever runs the process bounds it.
    """
    if not monkey.is_module_patched("socket"):
        return nullcontext()
    timeout: AbstractContextManager[object] = gevent.Timeout(seconds, error)
    return timeout


def _too_slow() -> Refusal:
    message = (
        f"The body came too slowly: {PIECE_BYTES} bytes, or what is left of it, must come within {PIECE_SECONDS:g} s."
    )
    return Refusal(408, message, code="body_too_slow")
