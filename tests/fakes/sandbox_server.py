"""A sandbox of one's own on loopback, for as long as a test needs it."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from werkzeug.serving import WSGIRequestHandler, make_server

from sandbox.app import create_app
from sandbox.settings import SandboxSettings


class _QuietHandler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@contextmanager
def running_sandbox(**settings: Any) -> Iterator[str]:
    """A sandbox with these `SandboxSettings`, one thread a call; its base URL, without a path."""
    app = create_app(settings=SandboxSettings(**settings))
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
