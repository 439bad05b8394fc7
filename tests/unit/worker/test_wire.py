import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from urllib3.exceptions import HTTPError

from tests.fakes.raw_server import http_answer, raw_server, read_request
from worker.file_body import FileBody
from worker.session import open_session
from worker.wire import Wire, leave

Asked = tuple[int, bytes]
KEPT = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@contextmanager
def wired(url: str, *, proxy: str = "") -> Iterator[Callable[..., Asked]]:
    """What makes a call below the URL, and answers its status and the first bytes of its answer."""
    with open_session(connections=1, proxy=proxy) as session:
        wire = Wire(session, url=url, headers={"Authorization": "Bearer k"})

        def ask(method: str = "POST", below: str = "", *, body: bytes | FileBody | None = None, take: int = 2) -> Asked:
            headers = {"X-Own": "1"}
            answer = wire.ask(method, below, headers=headers, body=body, connect_seconds=5, read_seconds=5)
            try:
                return answer.status, answer.read1(take)
            finally:
                leave(answer)

        yield ask


def head_of(request: bytes) -> list[bytes]:
    return request.partition(b"\r\n\r\n")[0].lower().split(b"\r\n")


def test_a_call_has_the_headers_of_all_calls_and_its_own() -> None:
    with raw_server(http_answer(b"{}")) as server, wired(f"{server.url}/v1") as ask:
        assert ask(body=b"{}") == (200, b"{}")
    first, *headers = head_of(server.requests[0])
    assert first == b"post /v1 http/1.1"
    assert {b"authorization: bearer k", b"x-own: 1", b"content-length: 2"} <= set(headers)
    assert len(headers) == len({header.partition(b":")[0] for header in headers})


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_call_below_the_url_says_where_through_a_proxy_too(method: str) -> None:
    with (
        raw_server(http_answer(b"{}")) as server,
        wired(f"{server.url}/v1") as ask,
        wired("http://upstream.invalid/v1", proxy=server.url) as ask_proxy,
    ):
        ask(method, "/a%2Fb?c=d")
        ask_proxy(method, "/a%2Fb?c=d")
    assert [request.split(b" ")[1] for request in server.requests] == [
        b"/v1/a%2Fb?c=d",
        b"http://upstream.invalid/v1/a%2Fb?c=d",
    ]


def test_a_body_in_pieces_goes_out_with_its_length_told() -> None:
    with raw_server(http_answer(b"{}")) as server, wired(server.url) as ask:
        ask(body=FileBody([b"abc", b"de"]))
    assert server.requests[0].endswith(b"\r\n\r\nabcde")
    assert b"content-length: 5" in head_of(server.requests[0])
    assert b"transfer-encoding: chunked" not in head_of(server.requests[0])


def test_a_connection_whose_answer_was_not_read_whole_is_not_used_again_and_its_place_is() -> None:
    def answer_on(connection: socket.socket) -> None:
        while True:
            connection.sendall(KEPT)
            read_request(connection)

    with raw_server(answer_on) as server, wired(server.url) as ask:
        for take in (1, 2, 2):
            assert ask(take=take) == (200, b"{}"[:take])
    assert len(server.requests) == 2


def test_a_url_that_is_none_is_an_error_of_the_call() -> None:
    with wired("http://[nothing") as ask, pytest.raises((ValueError, HTTPError)):
        ask()
