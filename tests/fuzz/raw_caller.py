"""A caller that sends exactly the bytes a test wants, and hears what is answered."""

import re
import socket
from urllib.parse import urlsplit

STATUS = re.compile(rb"^HTTP/1\.1 (\d{3}) ", re.MULTILINE)


def tell(base: str, *pieces: bytes, seconds: float = 20.0) -> list[int]:
    """The statuses of all answers until the server hangs up, or says nothing for a while once nothing more comes."""
    with socket.create_connection(("127.0.0.1", urlsplit(base).port or 80), timeout=seconds) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it may have heard enough
        return [int(status) for status in STATUS.findall(heard(connection))]


def heard(connection: socket.socket) -> bytes:
    """All that comes until the other side closes. Raises TimeoutError where it does not."""
    data = b""
    try:
        while piece := connection.recv(65536):
            data += piece
    except ConnectionError:
        pass
    return data


def post(body: bytes, *headers: str, key: str, path: str = "/v1/jobs", length: int | None = None) -> bytes:
    """A request after which the connection is to be closed; `length` is what it says of its body, -1: nothing."""
    head = [f"POST {path} HTTP/1.1", "Host: here", f"Authorization: Bearer {key}", "Content-Type: application/json"]
    told = len(body) if length is None else length
    head += ["Connection: close", *([f"Content-Length: {told}"] if told >= 0 else []), *headers]
    return "\r\n".join([*head, "", ""]).encode() + body
