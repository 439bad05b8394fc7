"""Clients of webhook receivers on loopback, and calls that are hung up on when they are overdue."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.allow import Allow
from worker.calls import Call, Calls
from worker.webhooks.client import WebhookClient
from worker.webhooks.results import Answered, Failed

LOOPBACK = Allow.parse("127.0.0.0/8")
WATCH_SECONDS = 0.1


@contextmanager
def open_webhook_client(
    *,
    allow: Allow = LOOPBACK,
    own: frozenset[str] = frozenset(),
    timeout_seconds: float = 15.0,
    connections: int = 16,
    ca_file: Path | None = None,
) -> Iterator[WebhookClient]:
    client = WebhookClient(
        allow=allow, own=own, timeout_seconds=timeout_seconds, connections=connections, ca_file=ca_file
    )
    try:
        yield client
    finally:
        client.close()


def post(client: WebhookClient, url: str, *, body: bytes = b"{}", seconds: float = 30.0) -> Answered | Failed:
    """What comes of a POST that may take so long."""
    with watched_call(seconds) as call:
        return client.post(url, body=body, headers={"webhook-id": "evt_1"}, call=call)


@contextmanager
def watched_call(seconds: float) -> Iterator[Call]:
    """A call that is hung up on as a process does it, soon after its time is over."""
    call, calls, over = Call(seconds=seconds), Calls(), threading.Event()
    calls.add("1", 1, call)

    def watch() -> None:
        while not over.wait(WATCH_SECONDS):
            calls.hang_up_overdue()

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield call
    finally:
        over.set()
        watching.join()


@contextmanager
def speaking_plainly() -> Iterator[int]:
    """The port of a server that answers as soon as it is connected to, whatever protocol that was meant for."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                    connection.recv(65536)

        serving = threading.Thread(target=serve, daemon=True)
        serving.start()
        yield int(listener.getsockname()[1])
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        serving.join()
