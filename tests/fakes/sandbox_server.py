"""A sandbox of one's own on loopback, for as long as a test needs it."""

import io
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any
from urllib.parse import urlsplit

from werkzeug.serving import WSGIRequestHandler, make_server

from sandbox.app import create_app
from sandbox.limits import Limits
from sandbox.settings import SandboxSettings


class _UntilReset(io.BufferedReader):
    """What a caller sends; one that resets the connection has sent all."""

    def read(self, size: int | None = -1, /) -> bytes:
        try:
            return super().read(size)
        except ConnectionResetError:
            return b""


class _QuietHandler(WSGIRequestHandler):
    def setup(self) -> None:
        """Let a reset pass, at which werkzeug would not tell the app that the answer is over."""
        super().setup()
        self.rfile = _UntilReset(self.rfile.detach())

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@contextmanager
def running_sandbox(**settings: Any) -> Iterator[str]:
    """A sandbox with these `SandboxSettings` and `Limits`, one thread a call; its base URL, without a path."""
    limits = {field.name: settings.pop(field.name) for field in fields(Limits) if field.name in settings}
    app = create_app(settings=SandboxSettings(limits=Limits(**limits), **settings))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_QuietHandler)
    server.daemon_threads = True  # type: ignore[attr-defined]  # a hanging call must not hold up the end of a test
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.block_on_close = False  # type: ignore[attr-defined]
        server.server_close()


def begin_call(base: str, *, fault: str, key: str = "k") -> socket.socket:
    """Send a call with that fault and Idempotency-Key and do not wait for its answer; closing the socket is leaving."""
    address = urlsplit(base)
    body = json.dumps({"model": "m", "input": "hello", "metadata": {"sandbox": fault}})
    head = (
        f"POST /v1/responses HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer any\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nIdempotency-Key: {key}\r\n\r\n"
    )
    connection = socket.create_connection((str(address.hostname), address.port or 80))
    connection.sendall((head + body).encode())
    return connection
