"""Hostile URLs and answers against the client, with nothing behind the socket layer."""

import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from schemas.allow import Allow
from tests.fakes.hostile_urls import LEGITIMATE, NAMED, REFUSED_TEXTS, Named
from tests.fakes.webhook_client import open_webhook_client
from worker.calls import Call
from worker.webhooks.client import WebhookClient
from worker.webhooks.results import Failed


@dataclass(slots=True)
class Net:
    """What is looked up and dialled; each look-up takes the next of `answers`, the last one again and again."""

    answers: list[Sequence[str]] = field(default_factory=lambda: [()])
    looked_up: list[str] = field(default_factory=list)
    dialled: list[str] = field(default_factory=list)

    def look_up(self, host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        self.looked_up.append(host)
        found = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [_info(address, port) for address in found]

    def dial(self, address: tuple[Any, ...]) -> None:
        self.dialled.append(address[0])
        raise ConnectionRefusedError


def _info(address: str, port: int) -> tuple[Any, ...]:
    if ":" in address:
        return (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
    return (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))


@pytest.fixture
def net(monkeypatch: pytest.MonkeyPatch) -> Net:
    net, look_up, connect = Net(), socket.getaddrinfo, socket.socket.connect

    def is_stranger() -> bool:
        """An API that an earlier test of this process made still follows the jobs that end."""
        return threading.current_thread().name == "endings"

    def looked_up(*args: Any, **options: Any) -> Any:
        return look_up(*args, **options) if is_stranger() else net.look_up(*args, **options)

    def connected(connection: socket.socket, address: Any) -> None:
        return connect(connection, address) if is_stranger() else net.dial(address)

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    monkeypatch.setattr(socket.socket, "connect", connected)
    return net


@pytest.fixture(scope="module")
def client() -> Iterator[WebhookClient]:
    with open_webhook_client(allow=Allow()) as made:
        yield made


def error_of(client: WebhookClient, url: str) -> str:
    result = client.post(url, body=b"{}", headers={}, call=Call(seconds=60))
    assert isinstance(result, Failed)
    return result.error


@pytest.mark.parametrize("url", REFUSED_TEXTS)
def test_a_hostile_text_is_neither_looked_up_nor_dialled(url: str, net: Net, client: WebhookClient) -> None:
    assert error_of(client, url) == "blocked_url"
    assert (net.looked_up, net.dialled) == ([], [])


@pytest.mark.parametrize("named", NAMED, ids=lambda named: f"{named.url} {named.answers}")
def test_a_name_with_one_bad_answer_is_looked_up_once_and_not_dialled(
    named: Named, net: Net, client: WebhookClient
) -> None:
    net.answers = [named.answers]
    assert error_of(client, named.url) == ("blocked_address" if named.answers else "dns_error")
    assert len(net.looked_up) == 1
    assert net.dialled == []


@pytest.mark.parametrize("named", LEGITIMATE, ids=lambda named: named.url)
def test_a_legitimate_receiver_is_dialled_by_what_its_name_says(named: Named, net: Net, client: WebhookClient) -> None:
    net.answers = [named.answers]
    assert error_of(client, named.url) == "connect_error"
    assert net.dialled == named.answers
    assert len(net.looked_up) <= 1


def test_each_attempt_judges_the_answer_that_it_dials(net: Net, client: WebhookClient) -> None:
    net.answers = [["93.184.215.14"], ["127.0.0.1"], ["93.184.215.15"], ["10.0.0.1"]]
    errors = [error_of(client, "https://rebind.example.com/") for _ in range(4)]
    assert errors == ["connect_error", "blocked_address"] * 2
    assert net.dialled == ["93.184.215.14", "93.184.215.15"]
    assert len(net.looked_up) == 4


def test_four_addresses_of_a_name_are_tried_at_most(net: Net, client: WebhookClient) -> None:
    net.answers = [[f"93.184.215.{last}" for last in range(1, 9)]]
    assert error_of(client, "https://hooks.example.com/") == "connect_error"
    assert net.dialled == [f"93.184.215.{last}" for last in range(1, 5)]


def test_an_address_that_answers_too_late_is_told_apart_from_one_that_refuses(
    net: Net, client: WebhookClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def time_out(_: object, address: object) -> None:
        raise TimeoutError

    net.answers = [["93.184.215.14"]]
    monkeypatch.setattr(socket.socket, "connect", time_out)
    assert error_of(client, "https://hooks.example.com/") == "connect_timeout"


@pytest.mark.parametrize("allow", ["0.0.0.0/0", "hooks.internal", "hooks.internal:8080", "::/0, 10.0.0.0/8"])
def test_whatever_else_is_admitted_metadata_is_not(allow: str, net: Net) -> None:
    net.answers = [["169.254.169.254"]]
    with open_webhook_client(allow=Allow.parse(allow)) as client:
        assert error_of(client, "https://hooks.internal:8080/") == "blocked_address"
    assert net.dialled == []


def test_plain_http_goes_to_admitted_addresses_alone(net: Net) -> None:
    with open_webhook_client(allow=Allow.parse("10.0.0.0/8,hooks.internal")) as client:
        for url, answers, error in (
            ("http://other.internal/", ["10.0.0.1"], "connect_error"),
            ("http://other.internal/", ["93.184.215.14"], "blocked_address"),
            ("http://other.internal/", ["10.0.0.2", "93.184.215.14"], "blocked_address"),
            ("http://hooks.internal/", ["93.184.215.14"], "connect_error"),
            ("http://hooks.internal/", ["192.168.0.1"], "connect_error"),
        ):
            net.answers = [answers]
            assert error_of(client, url) == error
    assert net.dialled == ["10.0.0.1", "93.184.215.14", "192.168.0.1"]


def test_no_client_speaks_old_tls(client: WebhookClient) -> None:
    context = client._pools.connection_pool_kw["ssl_context"]
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
