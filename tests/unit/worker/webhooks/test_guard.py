"""Names that are looked up to one thing and then to another, for real, under threads and under gevent."""

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from schemas.allow import Allow
from tests.fakes.certificates import make_certificate
from tests.fakes.receiver import running_receiver
from tests.fakes.webhook_client import open_webhook_client, post
from worker.calls import Call
from worker.webhooks.guard import Guard
from worker.webhooks.results import Failed
from worker.webhooks.unconnected import Unconnected

MODES = ("threads", "gevent")


def run_apart(mode: str, script: str, url: str, ca_file: str = "") -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.fakes.webhook_posts", mode, script, url, ca_file]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("mode", MODES)
def test_two_hundred_names_are_looked_up_once_each_and_dialled_where_they_were_judged(
    mode: str, scheme: str, tmp_path: Path
) -> None:
    made = make_certificate(tmp_path, name="DNS:*.rebind.example") if scheme == "https" else None
    tls = made.server_context() if made else None
    with (
        running_receiver(host="127.0.0.2", tls=tls) as judged,
        running_receiver(host="127.0.0.3", port=judged.port, tls=tls) as other,
    ):
        url = f"{scheme}://NUMBER.rebind.example:{judged.port}/"
        told = run_apart(mode, "rebinding", url, str(made.file) if made else "")
    assert {said for said, _ in told["results"].values()} == {200}
    assert set(told["looked_up"].values()) == {1}
    hosts = {received.headers["host"] for received in judged.requests}
    assert hosts == {f"h{number}.rebind.example:{judged.port}" for number in range(200)}
    assert other.connections == 0


@pytest.mark.parametrize("mode", MODES)
def test_names_that_hang_end_with_their_calls_and_hold_up_no_others(mode: str) -> None:
    with running_receiver(host="127.0.0.2") as receiver:
        told = run_apart(mode, "hanging", f"http://NUMBER.hang.example:{receiver.port}/")
    hung = [told["results"][f"h{number}.hang.example"] for number in range(40)]
    others = [told["results"][f"h{number}.hang.example"] for number in range(40, 50)]
    assert {said for said, _ in hung} == {"dns_error"}
    assert max(seconds for _, seconds in hung) < 2.0
    assert {said for said, _ in others} == {200}
    assert max(seconds for _, seconds in others) < 1.0


def test_a_connection_that_ends_elsewhere_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    dial = socket.socket.connect

    def misled(connection: socket.socket, address: tuple[str, int]) -> None:
        dial(connection, ("127.0.0.3", address[1]))

    with running_receiver(host="127.0.0.3") as receiver:
        monkeypatch.setattr(socket.socket, "connect", misled)
        with open_webhook_client(allow=Allow.parse("127.0.0.0/8")) as client:
            assert post(client, f"http://127.0.0.2:{receiver.port}/") == Failed(error="blocked_address")
    assert receiver.requests == []


def test_the_next_address_is_tried_when_one_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    with running_receiver(host="127.0.0.3") as receiver:
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{n}", receiver.port)) for n in (2, 3)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        guard = Guard(allow=Allow.parse("127.0.0.0/8"))
        with guard.connect("hooks.example.com", receiver.port, scheme="http", call=Call(seconds=60)) as connection:
            assert connection.getpeername() == ("127.0.0.3", receiver.port)


def test_a_call_whose_time_is_over_dials_nothing() -> None:
    with running_receiver() as receiver:
        guard = Guard(allow=Allow.parse("127.0.0.0/8"))
        with pytest.raises(Unconnected):
            guard.connect("127.0.0.1", receiver.port, scheme="http", call=Call(seconds=0))
    assert receiver.connections == 0


def test_a_process_that_can_open_no_more_files_says_so() -> None:
    code = """
import os, resource
from schemas.allow import Allow
from worker.calls import Call
from worker.webhooks.guard import Guard
from worker.webhooks.unconnected import Unconnected
guard, call = Guard(allow=Allow.parse("127.0.0.0/8")), Call(seconds=60)
resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/dev/fd"))), 4096))
try:
    guard.connect("127.0.0.1", 9, scheme="http", call=call)
except Unconnected as unconnected:
    print(unconnected.error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "too_many_open_files\n"


def told_of(monkeypatch: pytest.MonkeyPatch, port: int, *hosts: str) -> None:
    """Every name is looked up to these addresses."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port)) for host in hosts]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


@pytest.mark.parametrize(("place", "reached"), [(4, True), (5, False)])
def test_four_addresses_are_tried_and_no_more(monkeypatch: pytest.MonkeyPatch, place: int, reached: bool) -> None:
    with running_receiver(host=f"127.0.1.{place}") as receiver:
        told_of(monkeypatch, receiver.port, *(f"127.0.1.{number}" for number in range(1, 6)))
        guard = Guard(allow=Allow.parse("127.0.0.0/8"))
        if reached:
            guard.connect("a.example", receiver.port, scheme="http", call=Call(seconds=60)).close()
        else:
            with pytest.raises(Unconnected) as failed:
                guard.connect("a.example", receiver.port, scheme="http", call=Call(seconds=60))
            assert failed.value.error == "connect_error"


@pytest.mark.parametrize("forbidden", ["10.0.0.1", "169.254.169.254", "::1"])
def test_one_address_that_may_not_be_dialled_forbids_all_of_them(
    monkeypatch: pytest.MonkeyPatch, forbidden: str
) -> None:
    with running_receiver(host="127.0.0.2") as receiver:
        told_of(monkeypatch, receiver.port, *["127.0.0.2"] * 4, forbidden)
        with pytest.raises(Unconnected) as blocked:
            Guard(allow=Allow.parse("127.0.0.0/8")).connect(
                "a.example", receiver.port, scheme="https", call=Call(seconds=60)
            )
    assert blocked.value.error == "blocked_address"
    assert receiver.connections == 0


def test_an_address_that_does_not_answer_is_told_from_one_that_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float | None] = []

    def in_vain(connection: socket.socket, _: tuple[str, int]) -> None:
        waits.append(connection.gettimeout())
        raise TimeoutError

    monkeypatch.setattr(socket.socket, "connect", in_vain)
    with pytest.raises(Unconnected) as failed:
        Guard(allow=Allow.parse("127.0.0.0/8")).connect("127.0.0.1", 9, scheme="http", call=Call(seconds=60))
    assert failed.value.error == "connect_timeout"
    assert waits == [5.0]


def test_a_call_that_is_hung_up_dials_no_further_address(monkeypatch: pytest.MonkeyPatch) -> None:
    call, dialled = Call(seconds=60), []

    def refused(_: socket.socket, address: tuple[str, int]) -> None:
        dialled.append(address[0])
        call.hang_up("stopping")
        raise ConnectionRefusedError

    told_of(monkeypatch, 9, "127.0.0.2", "127.0.0.3")
    monkeypatch.setattr(socket.socket, "connect", refused)
    with pytest.raises(Unconnected):
        Guard(allow=Allow.parse("127.0.0.0/8")).connect("a.example", 9, scheme="http", call=call)
    assert dialled == ["127.0.0.2"]


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_an_ipv6_address_is_dialled_as_one() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        port = listener.getsockname()[1]
        guard = Guard(allow=Allow.parse("::1"))
        with guard.connect("::1", port, scheme="http", call=Call(seconds=60)) as connection:
            assert (connection.family, connection.getpeername()[:2]) == (socket.AF_INET6, ("::1", port))
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
