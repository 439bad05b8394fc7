"""A server that answers with exactly the bytes a test wants, over TCP or TLS."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Handler = Callable[[socket.socket], None]


@dataclass(slots=True)
class RawServer:
    """`requests` holds each request as it came, head and body; `over` is set when the test ends."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def http_answer(body: bytes, *headers: str, status: str = "200 OK", kind: str = "application/json") -> bytes:
    """An answer as it goes over the wire, with its length told and its connection ended."""
    head = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", "Connection: close"]
    return "\r\n".join([*head, *headers, "", ""]).encode() + body


def chunked_answer(*pieces: bytes, kind: str = "application/json") -> bytes:
    """The same in chunks."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    return head.encode() + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (*pieces, b""))


@contextmanager
def raw_server(answer: bytes | Handler, *, context: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    """Reads each request whole, then sends `answer` or leaves the connection to it; a thread for each caller."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = RawServer(port=listener.getsockname()[1])
        threading.Thread(target=_accept, args=(listener, server, answer, context), daemon=True).start()
        try:
            yield server
        finally:
            server.over.set()
            listener.shutdown(socket.SHUT_RDWR)


def _accept(
    listener: socket.socket, server: RawServer, answer: bytes | Handler, context: ssl.SSLContext | None
) -> None:
    with contextlib.suppress(OSError):
        while True:
            caller, _ = listener.accept()
            threading.Thread(target=_serve, args=(caller, server, answer, context), daemon=True).start()


def _serve(caller: socket.socket, server: RawServer, answer: bytes | Handler, context: ssl.SSLContext | None) -> None:
    with contextlib.suppress(OSError), contextlib.ExitStack() as stack:  # a caller may leave at any time
        connection = stack.enter_context(caller)
        if context:
            connection = stack.enter_context(context.wrap_socket(caller, server_side=True))
        server.requests.append(read_request(connection))
        if callable(answer):
            answer(connection)
        else:
            connection.sendall(answer)


def read_request(connection: socket.socket) -> bytes:
    """The next request, head and body. Raises ConnectionError if it does not come whole."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _some(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while len(body) < int(lengths[0] if lengths else 0):
        body += _some(connection)
    return head + b"\r\n\r\n" + body


def _some(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionError("the caller left before its request was whole")
    return data
