import logging
import socket
import threading
from pathlib import Path

import pytest

from jobs.settings import Settings
from jobs.webhooks.secrets import new_secret
from schemas.allow import Allow
from tests.fakes.raw_server import raw_server
from tests.fakes.redis_server import free_port
from tests.fakes.waiting import wait_until
from tests.fakes.webhook_client import post
from worker.queue_process import WRITE_SECONDS
from worker.webhooks.process import SenderProcess, own_origins
from worker.webhooks.results import Answered


def test_nothing_is_connected_before_its_start_and_it_writes_with_more_patience_than_it_asks() -> None:
    process = SenderProcess(Settings(redis_url=f"redis://127.0.0.1:{free_port()}/0"))
    assert process._parts.coalescer._client.connection_pool.connection_kwargs["socket_timeout"] == WRITE_SECONDS
    assert process._senders._client.connection_pool.connection_kwargs["socket_timeout"] < 2


def test_its_attempts_follow_the_settings(redis_url: str) -> None:
    secret = new_secret()
    settings = Settings(
        redis_url=redis_url,
        webhook_secret=secret,
        webhook_schedule=(0.0, 7.0),
        webhook_timeout_seconds=3.0,
        webhook_slots=9,
        webhook_allow=Allow.parse("10.0.0.0/8"),
    )
    process = SenderProcess(settings)
    assert process.crew.open_slots == 9
    assert process._attempts.schedule == (0.0, 7.0)
    assert process._attempts.timeout_seconds == 3.0
    assert process._attempts.keyring._own_secret == secret


def test_a_sender_lives_from_its_start_to_its_stop(redis_url: str, caplog: pytest.LogCaptureFixture) -> None:
    process = SenderProcess(Settings(redis_url=redis_url, unsafe_redis="allow", grace_seconds=0, webhook_slots=9))
    with caplog.at_level(logging.INFO):
        process.start()
        process.stop()
    assert process._senders.live() == []
    assert f"{process.id} offers 9 slots" in caplog.text
    assert f"{process.id} leaves" in caplog.text


@pytest.mark.parametrize(
    ("public_url", "origins"),
    [
        ("", set()),
        ("https://Jobs.example/respool", {"https://jobs.example:443"}),
        ("http://127.0.0.1:8000", {f"http://{host}:8000" for host in ("127.0.0.1", "localhost", "[::1]")}),
        ("http://user@jobs.example", set()),
    ],
)
def test_no_webhook_goes_to_the_service_itself(public_url: str, origins: set[str]) -> None:
    assert own_origins(public_url) == origins


def test_a_ca_file_that_is_none_is_said_at_once(redis_url: str, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("nothing")
    with pytest.raises(OSError, match=r"PEM|certificate"):
        SenderProcess(Settings(redis_url=redis_url, webhook_ca_file=file))


def test_it_closes_connections_that_rest_and_holds_no_response_twice(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.session.MOST_IDLE_SECONDS", 0.05)
    monkeypatch.setattr("worker.webhooks.process.TIDY_SECONDS", 0.05)
    settings = Settings(
        redis_url=redis_url,
        unsafe_redis="allow",
        grace_seconds=0,
        webhook_slots=9,
        webhook_allow=Allow.parse("127.0.0.1"),
    )
    process, closed = SenderProcess(settings), threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        if connection.recv(1) == b"":
            closed.set()

    with raw_server(serve) as receiver:
        process.start()
        try:
            assert isinstance(post(process._attempts.client, receiver.url), Answered)
            wait_until(closed.is_set)
        finally:
            process.stop()
    assert process.crew._claim == process._attempts.claim
