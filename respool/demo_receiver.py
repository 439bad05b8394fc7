"""A receiver of webhooks for the demo: it listens on loopback, keeps what comes, and checks signatures itself."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue
from typing import Any

PREFIX = "whsec_"
TOLERANCE_SECONDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request as it came; the names of `headers` are in lower case."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    url: str
    received: SimpleQueue[Received]

    def wait(self, *, seconds: float) -> Received | None:
        """The next webhook; None if none comes in the time."""
        try:
            return self.received.get(timeout=seconds)
        except Empty:
            return None


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port for as long as the block lasts; it answers every POST with 204."""
    received: SimpleQueue[Received] = SimpleQueue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            received.put(Received(headers=headers, body=body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing: the demo tells what came."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, name="receiver", daemon=True).start()
        try:
            yield Receiver(url=f"http://127.0.0.1:{server.server_port}/webhooks", received=received)
        finally:
            server.shutdown()


def verified(received: Received, *, secret: str) -> dict[str, Any]:
    """The event, if one of the request's signatures is right and its time is now. Raises ValueError otherwise."""
    event_id, timestamp = received.headers.get("webhook-id", ""), received.headers.get("webhook-timestamp", "")
    signed = f"{event_id}.{timestamp}.".encode() + received.body
    digest = hmac.digest(base64.b64decode(secret.removeprefix(PREFIX)), signed, hashlib.sha256)
    right = "v1," + base64.b64encode(digest).decode()
    signatures = received.headers.get("webhook-signature", "").split(" ")
    if not any(hmac.compare_digest(right, signature) for signature in signatures):
        raise ValueError("no signature is right")
    if abs(time.time() - int(timestamp)) > TOLERANCE_SECONDS:
        raise ValueError("it was signed at another time")
    event: dict[str, Any] = json.loads(received.body)
    return event
