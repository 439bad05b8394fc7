"""A receiver that costs as little as one in Python can: `python -m benchmarks.receiver` prints its port and counts."""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

from gevent.server import StreamServer  # noqa: E402 - gevent patches first

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def serve(connection, _address) -> None:  # type: ignore[no-untyped-def]
    """Answers each request of a connection that is kept open."""
    data = b""
    while piece := connection.recv(65536):
        data += piece
        while (end := _end_of_request(data)) is not None:
            data = data[end:]
            connection.sendall(ANSWER)


def _end_of_request(data: bytes) -> int | None:
    head, found, _ = data.partition(b"\r\n\r\n")
    if not found:
        return None
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
    end = len(head) + 4 + length
    return end if len(data) >= end else None


if __name__ == "__main__":
    server = StreamServer(("127.0.0.1", 0), serve, backlog=1024)
    server.start()
    print(server.server_port, flush=True)
    server.serve_forever()
