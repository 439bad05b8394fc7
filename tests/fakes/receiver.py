"""A receiver of webhooks on loopback, which answers and misbehaves as a test says and keeps what it was sent."""

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO, Literal

Behaviour = Literal["answer", "hang", "drip_headers", "drip_body", "cut", "huge"]
HUGE_BYTES = 200 * 1024 * 1024
DRIP_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A request; the names of `headers` are in lower case, `at` is in seconds since the epoch."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """`hang` sends nothing, `cut` resets the connection instead of answering, `huge` sends 200 MB of body, and what
    drips comes byte by byte until the test ends.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    behaviour: Behaviour = "answer"


Answer = Callable[[Received], Reply]


@dataclass(slots=True, kw_only=True)
class Receiver:
    """`connections` counts those that were made, whether or not anything was sent over them."""

    host: str
    port: int
    scheme: str
    requests: list[Received] = field(default_factory=list)
    connections: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"


@contextmanager
def running_receiver(
    answer: Answer | Reply | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
) -> Iterator[Receiver]:
    """Answers each request by `answer`, if nothing else with an empty 200; a thread for each connection, kept alive."""
    fixed = answer if isinstance(answer, Reply) else Reply()
    reply = answer if callable(answer) else lambda _: fixed
    with socket.create_server((host, port), backlog=1024) as listener:
        scheme = "https" if tls else "http"
        receiver = Receiver(host=host, port=listener.getsockname()[1], scheme=scheme)
        accepting = threading.Thread(target=_accept, args=(listener, receiver, reply, tls), daemon=True)
        accepting.start()
        try:
            yield receiver
        finally:
            receiver.over.set()
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()


def _accept(listener: socket.socket, receiver: Receiver, reply: Answer, tls: ssl.SSLContext | None) -> None:
    with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
        while True:
            caller, _ = listener.accept()
            stack.callback(_hang_up, caller)
            receiver.connections += 1
            threading.Thread(target=_serve, args=(caller, receiver, reply, tls), daemon=True).start()


def _hang_up(caller: socket.socket) -> None:
    with contextlib.suppress(OSError):
        caller.shutdown(socket.SHUT_RDWR)


def _serve(caller: socket.socket, receiver: Receiver, reply: Answer, tls: ssl.SSLContext | None) -> None:
    with contextlib.suppress(OSError, ValueError), contextlib.ExitStack() as stack:  # a caller may leave at any time
        connection = stack.enter_context(caller)
        if tls:
            connection = stack.enter_context(tls.wrap_socket(caller, server_side=True))
        stream = stack.enter_context(connection.makefile("rb"))
        while (received := _read(stream)) is not None:
            receiver.requests.append(received)
            _send(connection, reply(received), receiver)


def _read(stream: BinaryIO) -> Received | None:
    """The next request; None if the caller left instead."""
    first = stream.readline().decode("latin-1").split()
    if len(first) != 3:
        return None
    headers = {}
    while line := stream.readline().strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    length = int(headers.get("content-length", 0))
    body = stream.read(length)
    if len(body) < length:
        return None  # whoever sent it was killed meanwhile: no receiver takes half of a request
    return Received(method=first[0], path=first[1], headers=headers, body=body, at=time.time())


def _send(connection: socket.socket, reply: Reply, receiver: Receiver) -> None:
    """Raises ConnectionError when the connection has served its purpose."""
    head = _head(reply)
    match reply.behaviour:
        case "answer":
            connection.sendall(head + reply.body)
            return
        case "hang":
            receiver.over.wait()
        case "cut":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
        case "drip_headers":
            connection.sendall(f"HTTP/1.1 {reply.status} \r\nX-Slow: ".encode())
            _drip(connection, receiver)
        case "drip_body":
            connection.sendall(head)
            _drip(connection, receiver)
        case "huge":
            connection.sendall(head)
            for _ in range(HUGE_BYTES // len(_PIECE)):
                connection.sendall(_PIECE)
    raise ConnectionError("the caller is done with")


_PIECE = b"x" * (1024 * 1024)


def _head(reply: Reply) -> bytes:
    lengths = {"drip_body": 1_000_000, "huge": HUGE_BYTES}
    length = lengths.get(reply.behaviour, len(reply.body))
    told = {} if reply.status == 204 else {"Content-Length": str(length)}
    lines = [f"HTTP/1.1 {reply.status} ", *(f"{name}: {value}" for name, value in {**told, **reply.headers}.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _drip(connection: socket.socket, receiver: Receiver) -> None:
    while not receiver.over.wait(DRIP_SECONDS):
        connection.sendall(b"a")
