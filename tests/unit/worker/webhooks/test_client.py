import gzip
import logging
import socket
import ssl
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread, current_thread
from typing import Any

import pytest

from schemas.allow import Allow
from schemas.webhook_url import origin_of
from tests.fakes.certificates import make_certificate
from tests.fakes.raw_server import raw_server
from tests.fakes.receiver import Received, Reply, running_receiver
from tests.fakes.waiting import wait_until
from tests.fakes.webhook_client import open_webhook_client, post, speaking_plainly, watched_call
from worker.calls import OUT_OF_TIME, STOPPING, Call
from worker.webhooks.client import MOST_ANSWER_BYTES, WebhookClient
from worker.webhooks.results import Answered, Failed

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def client() -> Iterator[WebhookClient]:
    with open_webhook_client() as made:
        yield made


def answered(result: Answered | Failed) -> Answered:
    assert isinstance(result, Answered), result
    return result


def test_the_receiver_gets_the_very_bytes_and_headers_that_say_who_sends(client: WebhookClient) -> None:
    body = b'{"a": "\xc3\xbc"}'
    with running_receiver() as receiver:
        call = Call(seconds=60)
        headers = {"webhook-id": "evt_1", "webhook-signature": "v1,a v1,b"}
        result = client.post(f"{receiver.url}/a//b/?c=d%20e", body=body, headers=headers, call=call)
    (received,) = receiver.requests
    assert answered(result).http_status == 200
    assert (received.method, received.path, received.body) == ("POST", "/a//b/?c=d%20e", body)
    sent = received.headers
    assert sent["user-agent"].startswith("respool/")
    assert sent["user-agent"].endswith(" (webhooks)")
    assert (sent["content-type"], sent["accept-encoding"]) == ("application/json", "identity")
    assert (sent["host"], sent["content-length"]) == (f"127.0.0.1:{receiver.port}", str(len(body)))
    assert (sent["webhook-id"], sent["webhook-signature"]) == ("evt_1", "v1,a v1,b")
    assert sent.keys() <= {
        "accept",
        *headers,
        "user-agent",
        "content-type",
        "accept-encoding",
        "host",
        "content-length",
    }


@pytest.mark.parametrize("status", [200, 204, 299, 400, 404, 410, 429, 500, 503])
def test_any_whole_answer_is_an_answer_and_keeps_its_connection(status: int, client: WebhookClient) -> None:
    reply = Reply(status=status, headers={"Retry-After": "7"}, body=b"" if status == 204 else b"noted")
    with running_receiver(reply) as receiver:
        results = [answered(post(client, receiver.url)) for _ in range(3)]
    assert {result.http_status for result in results} == {status}
    assert {result.answer for result in results} == {reply.body}
    assert results[0].headers["retry-AFTER"] == "7"
    assert receiver.connections == 1


def test_connections_carry_one_call_at_a_time_and_are_kept_for_the_next(client: WebhookClient) -> None:
    with running_receiver() as receiver:
        senders = [Thread(target=lambda: [post(client, receiver.url) for _ in range(50)]) for _ in range(8)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        assert len(receiver.requests) == 400
        assert receiver.connections <= 8


def test_no_redirect_is_followed(client: WebhookClient) -> None:
    with running_receiver() as other:
        for status in (301, 302, 303, 307, 308):
            with running_receiver(Reply(status=status, headers={"Location": other.url})) as receiver:
                result = answered(post(client, receiver.url))
            assert (result.http_status, result.headers["location"]) == (status, other.url)
    assert other.connections == 0


def test_no_cookie_is_kept(client: WebhookClient) -> None:
    with running_receiver(Reply(headers={"Set-Cookie": "a=b; Path=/"})) as receiver:
        for _ in range(2):
            post(client, receiver.url)
    assert "cookie" not in receiver.requests[1].headers


def test_proxies_and_passwords_of_the_environment_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password secret\n")
    netrc.chmod(0o600)
    with running_receiver() as proxy, running_receiver() as receiver:
        monkeypatch.setenv("NETRC", str(netrc))
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
            monkeypatch.setenv(name.lower(), proxy.url)
        with open_webhook_client() as client:
            assert answered(post(client, receiver.url)).http_status == 200
    assert proxy.connections == 0
    assert "authorization" not in receiver.requests[0].headers


def test_a_bundle_named_in_the_environment_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_certificate(tmp_path, name="IP:127.0.0.1")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(made.file))
    with running_receiver(tls=made.server_context()) as receiver, open_webhook_client() as client:
        assert post(client, receiver.url) == Failed(error="tls_error")


@pytest.mark.parametrize(("name", "error"), [("IP:127.0.0.1", None), ("DNS:elsewhere.example", "tls_error")])
def test_a_certificate_must_be_for_the_receivers_name(name: str, error: str | None, tmp_path: Path) -> None:
    made = make_certificate(tmp_path, name=name)
    with (
        running_receiver(tls=made.server_context()) as receiver,
        open_webhook_client(ca_file=made.file) as client,
    ):
        result = post(client, receiver.url)
    assert result == Failed(error="tls_error") if error else answered(result).http_status == 200
    assert len(receiver.requests) == (0 if error else 1)


def test_a_receiver_that_speaks_no_tls_is_a_tls_error(client: WebhookClient) -> None:
    with speaking_plainly() as port:
        assert post(client, f"https://127.0.0.1:{port}/") == Failed(error="tls_error")


def test_this_service_itself_is_not_called() -> None:
    with running_receiver() as receiver:
        with open_webhook_client(own=frozenset({origin_of(receiver.url)})) as client:
            assert post(client, receiver.url) == Failed(error="blocked_url")
        assert receiver.connections == 0


def test_nobody_listening_is_a_connect_error(client: WebhookClient) -> None:
    with running_receiver() as receiver:
        pass
    assert post(client, receiver.url) == Failed(error="connect_error")


def test_a_reset_instead_of_an_answer_is_a_cut_connection(client: WebhookClient) -> None:
    with running_receiver(Reply(behaviour="cut")) as receiver:
        assert post(client, receiver.url) == Failed(error="connection_cut")


@pytest.mark.parametrize(
    "sent",
    [
        b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Len",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", b"\x00" * 100_000,
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"A%d: %s\r\n" % (n, b"a" * 1000) for n in range(90)) + b"\r\n",
        b"HTTP/1.1 103 Early\r\n\r\n" * 5000,
    ],
    ids=lambda sent: repr(sent[:60]),
)  # fmt: skip
def test_what_is_no_whole_head_of_an_answer_is_a_cut_connection(sent: bytes, client: WebhookClient) -> None:
    with raw_server(sent) as server:
        assert post(client, server.url) == Failed(error="connection_cut")


def test_interim_answers_are_passed_over(client: WebhookClient) -> None:
    sent = b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"
    with raw_server(sent) as server:
        assert answered(post(client, server.url)).http_status == 410


def test_odd_headers_are_not_logged_with_the_url(client: WebhookClient, caplog: pytest.LogCaptureFixture) -> None:
    sent = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n: odd\r\nno colon\r\n\r\n"
    with caplog.at_level(logging.INFO), raw_server(sent) as server:
        assert answered(post(client, f"{server.url}/?token=hunter2")).http_status == 200
    assert caplog.records == []


@pytest.mark.parametrize("missing", [b"", b"only so much"])
def test_an_answer_counts_although_its_body_was_cut(missing: bytes, client: WebhookClient) -> None:
    sent = b"HTTP/1.1 202 Accepted\r\nContent-Length: 1000\r\n\r\n" + missing
    with raw_server(sent) as server:
        result = answered(post(client, server.url))
    assert (result.http_status, result.answer) == (202, missing)


@pytest.mark.parametrize(("more", "connections"), [(0, 1), (1000, 2)])
def test_so_much_of_an_answer_is_read_and_a_connection_with_more_on_it_is_dropped(
    more: int, connections: int, client: WebhookClient
) -> None:
    body = b"a" * (MOST_ANSWER_BYTES + more)
    with running_receiver(Reply(body=body)) as receiver:
        for _ in range(2):
            assert answered(post(client, receiver.url)).answer == body[:MOST_ANSWER_BYTES]
    assert receiver.connections == connections


def test_a_huge_answer_costs_neither_time_nor_memory(client: WebhookClient) -> None:
    with running_receiver(Reply(behaviour="huge")) as receiver:
        peak, seconds, result = measured(client, receiver.url)
    assert len(answered(result).answer) == MOST_ANSWER_BYTES
    assert peak < 10 * MIB
    assert seconds < 2


def test_a_gzip_bomb_is_not_unpacked(client: WebhookClient) -> None:
    bomb = gzip.compress(b"\x00" * (20 * MIB))[: MOST_ANSWER_BYTES - 1]
    with running_receiver(Reply(headers={"Content-Encoding": "gzip"}, body=bomb)) as receiver:
        peak, seconds, result = measured(client, receiver.url)
    assert answered(result).answer == bomb
    assert peak < 10 * MIB
    assert seconds < 2


def measured(client: WebhookClient, url: str) -> tuple[int, float, Answered | Failed]:
    """The most bytes and the seconds that a POST takes, and what comes of it."""
    tracemalloc.start()
    started = time.monotonic()
    try:
        result = post(client, url, seconds=1)
        return tracemalloc.get_traced_memory()[1], time.monotonic() - started, result
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("behaviour", ["hang", "drip_headers"])
def test_a_receiver_that_does_not_come_to_an_answer_is_hung_up_on_in_time(
    behaviour: str, client: WebhookClient
) -> None:
    with running_receiver(Reply(behaviour=behaviour)) as receiver:  # type: ignore[arg-type]
        started = time.monotonic()
        assert post(client, receiver.url, seconds=0.5) == Failed(error="timeout")
        assert 0.4 < time.monotonic() - started < 1.5


def test_a_body_that_drips_ends_in_time_and_does_not_undo_the_answer(client: WebhookClient) -> None:
    with running_receiver(Reply(status=201, behaviour="drip_body")) as receiver:
        started = time.monotonic()
        result = answered(post(client, receiver.url, seconds=0.5))
        assert 0.4 < time.monotonic() - started < 1.5
    assert result.http_status == 201
    assert set(result.answer) == set(b"a")


def test_a_silence_has_a_bound_of_its_own() -> None:
    with running_receiver(Reply(behaviour="hang")) as receiver, open_webhook_client(timeout_seconds=0.3) as client:
        assert post(client, receiver.url, seconds=30) == Failed(error="timeout")


def test_a_handshake_that_nobody_answers_is_hung_up_on_in_time(client: WebhookClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        started = time.monotonic()
        result = post(client, f"https://127.0.0.1:{listener.getsockname()[1]}", seconds=0.5)
        assert 0.4 < time.monotonic() - started < 1.5
    assert result == Failed(error="connect_timeout")


@pytest.mark.parametrize(("why", "error"), [(STOPPING, "stopping"), (OUT_OF_TIME, "timeout")])
def test_a_call_that_is_hung_up_on_says_whether_the_process_stops(why: str, error: str, client: WebhookClient) -> None:
    results: list[Answered | Failed] = []
    with running_receiver(Reply(behaviour="hang")) as receiver, watched_call(60) as call:
        sender = Thread(
            target=lambda: results.append(client.post(receiver.url, body=b"{}", headers={}, call=call)), daemon=True
        )
        sender.start()
        wait_until(lambda: bool(receiver.requests))
        call.hang_up(why)
        sender.join(10)
    assert [result.error for result in results if isinstance(result, Failed)] == [error]


def test_a_call_that_was_hung_up_on_before_sends_nothing(client: WebhookClient) -> None:
    with running_receiver() as receiver:
        for _ in range(2):  # a new connection, and one that is kept
            call = Call(seconds=60)
            call.hang_up(STOPPING)
            assert client.post(receiver.url, body=b"{}", headers={}, call=call) == Failed(error="stopping")
            before = len(receiver.requests)
            assert answered(post(client, receiver.url)).http_status == 200
            assert len(receiver.requests) == before + 1


def test_a_connection_that_rested_too_long_is_closed_and_not_used_again(
    client: WebhookClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.session.MOST_IDLE_SECONDS", -1.0)
    with running_receiver() as receiver:
        for _ in range(3):
            assert answered(post(client, receiver.url)).http_status == 200
        assert receiver.connections == 3


def test_what_a_receiver_is_told_depends_on_the_request(client: WebhookClient) -> None:
    def answer(received: Received) -> Reply:
        return Reply(status=410 if received.body == b"2" else 200)

    with running_receiver(answer) as receiver:
        results = [answered(post(client, receiver.url, body=body)).http_status for body in (b"1", b"2", b"3")]
    assert results == [200, 410, 200]


def test_a_receiver_that_is_not_admitted_is_not_called() -> None:
    with running_receiver() as receiver, open_webhook_client(allow=Allow.parse("127.0.0.2")) as client:
        assert post(client, receiver.url) == Failed(error="blocked_url")
        assert receiver.connections == 0


def test_a_receiver_that_reads_late_gets_its_body_within_the_time_of_the_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("worker.webhooks.guard.CONNECT_SECONDS", 0.3)
    body, late = b"x" * 8_000_000, Event()

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as stream:
            late.wait(1.0)  # longer than connecting may take
            while stream.readline().strip():
                pass
            stream.read(len(body))
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener, open_webhook_client() as client:
        serving = Thread(target=serve, args=(listener,))
        serving.start()
        answer = post(client, f"http://127.0.0.1:{listener.getsockname()[1]}/", body=body)
        serving.join()
    assert isinstance(answer, Answered)
    assert answer.http_status == 200


def test_a_receiver_that_does_not_read_is_a_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, open_webhook_client(timeout_seconds=1.0) as client:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        assert post(client, url, body=b"x" * 8_000_000) == Failed(error="timeout")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_new_and_kept_connections_send_under_the_bound_of_a_silence_not_of_connecting(
    scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_certificate(tmp_path, name="IP:127.0.0.1")
    kind = ssl.SSLSocket if scheme == "https" else socket.socket
    send, sender, bounds = kind.sendall, current_thread(), []

    def watched(connection: socket.socket, *args: Any) -> None:
        if current_thread() is sender:
            bounds.append(connection.gettimeout())
        send(connection, *args)  # type: ignore[arg-type]

    tls = made.server_context() if scheme == "https" else None
    with running_receiver(tls=tls) as receiver, open_webhook_client(ca_file=made.file, timeout_seconds=15) as client:
        monkeypatch.setattr(kind, "sendall", watched)
        for _ in range(2):
            assert answered(post(client, receiver.url)).http_status == 200
    assert receiver.connections == 1
    assert len(bounds) >= 2
    assert set(bounds) == {15.0}


def test_connections_to_receivers_that_get_nothing_more_are_closed_by_tidying(monkeypatch: pytest.MonkeyPatch) -> None:
    with resting_receivers(5) as (urls, left), open_webhook_client() as client:
        for url in urls:
            assert answered(post(client, url)).http_status == 200
        client.tidy()
        assert not any(over.is_set() for over in left)
        monkeypatch.setattr("worker.session.MOST_IDLE_SECONDS", -1.0)
        client.tidy()
        wait_until(lambda: all(over.is_set() for over in left))


def test_no_more_connections_rest_than_calls_are_made_however_many_receivers_there_are() -> None:
    with resting_receivers(5) as (urls, left), open_webhook_client(connections=2) as client:
        for url in urls:
            assert answered(post(client, url)).http_status == 200
        wait_until(lambda: [over.is_set() for over in left] == [True] * 3 + [False] * 2)


def test_a_client_that_is_closed_keeps_no_connection() -> None:
    with resting_receivers(2) as (urls, left):
        with open_webhook_client() as client:
            for url in urls:
                post(client, url)
        wait_until(lambda: all(over.is_set() for over in left))


@contextmanager
def resting_receivers(count: int) -> Iterator[tuple[list[str], list[Event]]]:
    """URLs of receivers that answer once and keep the connection; each event is set when its connection is closed."""

    def serve_with(over: Event) -> Callable[[socket.socket], None]:
        def serve(connection: socket.socket) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            if connection.recv(1) == b"":
                over.set()

        return serve

    left = [Event() for _ in range(count)]
    with ExitStack() as stack:
        yield [stack.enter_context(raw_server(serve_with(over))).url for over in left], left
