import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from requests.adapters import HTTPAdapter

from tests.fakes.certificates import make_certificate
from tests.fakes.raw_server import http_answer, raw_server, read_request
from tests.fakes.waiting import wait_until
from tests.unit.worker.conftest import Post
from worker.calls import Call
from worker.errors import Unreachable
from worker.responses_client import ResponsesClient
from worker.session import WatchedConnection, open_session

ANSWER = http_answer(b'{"status": "completed"}')


def test_a_certificate_of_the_trusted_authority_is_accepted(post: Post, tmp_path: Path) -> None:
    made = make_certificate(tmp_path, name="IP:127.0.0.1")
    with raw_server(ANSWER, context=made.server_context()) as server:
        assert post(f"https://127.0.0.1:{server.port}", ca_file=made.file).http_status == 200


def test_a_certificate_of_nobody_known_is_refused(post: Post, tmp_path: Path) -> None:
    made = make_certificate(tmp_path, name="IP:127.0.0.1")
    with raw_server(ANSWER, context=made.server_context()) as server:
        with pytest.raises(Unreachable, match="certificate is not trusted") as caught:
            post(f"https://127.0.0.1:{server.port}")
        assert not caught.value.sent
        assert server.requests == []


def test_a_certificate_for_another_name_is_refused(post: Post, tmp_path: Path) -> None:
    made = make_certificate(tmp_path, name="DNS:elsewhere.example")
    with raw_server(ANSWER, context=made.server_context()) as server:
        with pytest.raises(Unreachable, match="certificate is not trusted"):
            post(f"https://127.0.0.1:{server.port}", ca_file=made.file)
        assert server.requests == []


def test_a_bundle_named_in_the_environment_is_not_trusted(
    post: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_certificate(tmp_path, name="IP:127.0.0.1")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(made.file))
    with raw_server(ANSWER, context=made.server_context()) as server, pytest.raises(Unreachable):
        post(f"https://127.0.0.1:{server.port}")


def test_no_connection_reads_the_authorities_again() -> None:
    with open_session(connections=2) as session:
        adapter = session.get_adapter("https://a.example")
        assert isinstance(adapter, HTTPAdapter)
        contexts = {
            id(adapter.poolmanager.connection_from_url(url).conn_kw["ssl_context"])
            for url in ("https://a.example", "https://b.example", "http://a.example", "https://a.example:8443")
            if url.startswith("https")
        }
    assert len(contexts) == 1


def test_proxies_and_passwords_of_the_environment_do_not_count(
    post: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password secret\n")
    netrc.chmod(0o600)
    with raw_server(ANSWER) as other, raw_server(ANSWER) as server:
        monkeypatch.setenv("NETRC", str(netrc))
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, other.url)
        assert post(server.url).http_status == 200
        assert other.requests == []
    assert b"authorization: bearer the-key\r\n" in server.requests[0].lower()
    assert b"basic" not in server.requests[0].lower()


def test_a_proxy_of_our_own_is_used(post: Post) -> None:
    with raw_server(ANSWER) as proxy:
        assert post("http://upstream.invalid/v1", proxy=proxy.url).http_status == 200
    assert proxy.requests[0].startswith(b"POST http://upstream.invalid/v1/responses HTTP/1.1\r\n")


def test_a_tunnel_through_the_proxy_is_checked_like_a_direct_connection(post: Post, tmp_path: Path) -> None:
    made = make_certificate(tmp_path, name="DNS:upstream.invalid")
    context = made.server_context()

    def tunnel(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with context.wrap_socket(connection, server_side=True) as inside:
            read_request(inside)
            inside.sendall(ANSWER)

    with raw_server(tunnel) as proxy:
        assert post("https://upstream.invalid/v1", proxy=proxy.url, ca_file=made.file).http_status == 200
        with pytest.raises(Unreachable):
            post("https://upstream.invalid/v1", proxy=proxy.url)
    assert proxy.requests[0].startswith(b"CONNECT upstream.invalid:443 ")


def test_a_proxy_that_refuses_the_tunnel_means_that_nothing_was_sent(post: Post) -> None:
    with raw_server(http_answer(b"", status="403 Forbidden")) as proxy, pytest.raises(Unreachable) as caught:
        post("https://upstream.invalid/v1", proxy=proxy.url)
    assert not caught.value.sent


def keeping_alive(connection: socket.socket) -> None:
    """Answers one request after the other."""
    while True:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}")
        read_request(connection)


@pytest.mark.parametrize(("seconds", "connections"), [(60.0, 1), (-1.0, 2)])
def test_a_connection_that_rested_too_long_is_not_used_again(
    seconds: float, connections: int, open_client: Callable[..., ResponsesClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.session.MOST_IDLE_SECONDS", seconds)
    with raw_server(keeping_alive) as server:
        client = open_client(server.url)
        for number in "12":
            call = Call(seconds=60)
            assert client.create(b"{}", idempotency_key=number, call=call).http_status == 200
            assert call.connected
    assert len(server.requests) == connections


def test_calls_over_tls_share_a_connection(open_client: Callable[..., ResponsesClient], tmp_path: Path) -> None:
    made = make_certificate(tmp_path, name="IP:127.0.0.1")
    with raw_server(keeping_alive, context=made.server_context()) as server:
        client = open_client(f"https://127.0.0.1:{server.port}", ca_file=made.file)
        for number in "123":
            assert client.create(b"{}", idempotency_key=number, call=Call(seconds=60)).http_status == 200
    assert len(server.requests) == 1


@pytest.mark.parametrize("said", [b"", b"unasked"])
def test_a_connection_counts_as_open_until_the_other_side_closes_it_or_speaks(said: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connection = WatchedConnection("127.0.0.1", listener.getsockname()[1], timeout=5.0)
        assert not connection.is_connected
        connection.connect()
        other, _ = listener.accept()
        for _ in range(2):
            assert connection.is_connected
        assert connection.sock.gettimeout() == 5.0
        other.sendall(said)
        if not said:
            other.close()
        wait_until(lambda: not connection.is_connected)
        assert connection.sock.recv(100) == said
        other.close()
        connection.close()
        assert not connection.is_connected


def test_a_tunnel_that_rested_too_long_is_dug_anew(
    open_client: Callable[..., ResponsesClient], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.session.MOST_IDLE_SECONDS", -1.0)
    made = make_certificate(tmp_path, name="DNS:upstream.invalid")
    context = made.server_context()

    def tunnel(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with context.wrap_socket(connection, server_side=True) as inside:
            read_request(inside)
            keeping_alive(inside)

    with raw_server(tunnel) as proxy:
        client = open_client("https://upstream.invalid/v1", proxy=proxy.url, ca_file=made.file)
        for number in "12":
            assert client.create(b"{}", idempotency_key=number, call=Call(seconds=60)).http_status == 200
    assert [request.split(b" ")[0] for request in proxy.requests] == [b"CONNECT", b"CONNECT"]


def test_cookies_of_one_call_do_not_reach_the_next(open_client: Callable[..., ResponsesClient]) -> None:
    with raw_server(http_answer(b"{}", "Set-Cookie: who=a; Path=/")) as server:
        client = open_client(server.url)
        for number in "12":
            client.create(b"{}", idempotency_key=number, call=Call(seconds=60))
    assert b"cookie" not in server.requests[1].lower()
