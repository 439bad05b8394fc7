"""Hanging up from outside on a call that is under way, whatever it waits for."""

import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.fakes.certificates import Certificate, make_certificate
from tests.fakes.raw_server import Handler, RawServer, raw_server
from tests.fakes.waiting import wait_until
from tests.unit.worker.conftest import Post
from worker.calls import CANCELLED, Call
from worker.errors import HungUp

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"), name="IP:127.0.0.1")


class Caller:
    """Makes a call on a thread of its own and keeps what it was told."""

    def __init__(self, post: Post, url: str, ca_file: Path | None) -> None:
        self.call = Call(seconds=60)
        self.told: HungUp | None = None
        self._thread = threading.Thread(target=self._make, args=(post, url, ca_file), daemon=True)
        self._thread.start()

    def _make(self, post: Post, url: str, ca_file: Path | None) -> None:
        try:
            post(url, call=self.call, ca_file=ca_file, read_seconds=30)
        except HungUp as ended:
            self.told = ended

    def end(self) -> HungUp:
        self._thread.join(10)
        assert self.told is not None
        return self.told


def silent(sends: bytes, *, over: threading.Event, left: threading.Event) -> Handler:
    """Sends so much and then waits until the caller leaves."""

    def handle(connection: socket.socket) -> None:
        connection.sendall(sends)
        try:
            if connection.recv(1) == b"":
                left.set()
        except (ConnectionError, ssl.SSLError):
            left.set()
        over.wait(10)

    return handle


@pytest.mark.parametrize("sent", [b"", HEAD, HEAD + b'{"status":'], ids=["for the head", "for the body", "midway"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_call_that_waits_ends_at_once_and_closes_its_connection(
    scheme: str, sent: bytes, post: Post, certificate: Certificate
) -> None:
    over, left = threading.Event(), threading.Event()
    context = certificate.server_context() if scheme == "https" else None
    with raw_server(silent(sent, over=over, left=left), context=context) as server:
        caller = Caller(post, f"{scheme}://127.0.0.1:{server.port}", certificate.file)
        wait_until(lambda: bool(server.requests))
        caller.call.hang_up(CANCELLED)
        told = caller.end()
        assert left.wait(10)
        over.set()
    assert (told.why, told.sent) == (CANCELLED, True)


def test_a_call_that_was_hung_up_before_it_began_sends_nothing(post: Post) -> None:
    with raw_server(b"") as server:
        call = Call(seconds=60)
        call.hang_up(CANCELLED)
        with pytest.raises(HungUp) as caught:
            post(server.url, call=call)
    assert not caught.value.sent
    assert server.requests == []


def test_a_call_that_was_hung_up_while_nobody_answers_the_handshake_sends_nothing(
    post: Post, certificate: Certificate
) -> None:
    """A TLS server that never greets: the connection is there, but nothing of the request can have gone out."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        caller = Caller(post, f"https://127.0.0.1:{listener.getsockname()[1]}", certificate.file)
        connection, _ = listener.accept()
        with connection:
            connection.recv(10)
            caller.call.hang_up(CANCELLED)
        assert not caller.end().sent


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_under_gevent_a_call_that_waits_ends_at_once_too(scheme: str, certificate: Certificate) -> None:
    over, left = threading.Event(), threading.Event()
    context = certificate.server_context() if scheme == "https" else None
    with raw_server(silent(b"", over=over, left=left), context=context) as server:
        told = hang_up_apart(server, scheme, certificate)
        assert left.wait(10)
        over.set()
    assert told == f"{CANCELLED} True"


def hang_up_apart(server: RawServer, scheme: str, certificate: Certificate) -> str:
    command = [sys.executable, "-m", "tests.fakes.hanging_up", f"{scheme}://127.0.0.1:{server.port}"]
    done = subprocess.run([*command, str(certificate.file)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
