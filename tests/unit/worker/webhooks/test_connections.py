import queue
import socket
from typing import cast

import pytest

from schemas.allow import Allow
from tests.fakes.webhook_client import open_webhook_client, post, speaking_plainly
from worker.session import WatchedConnection
from worker.webhooks.connections import GuardedPools, Resting
from worker.webhooks.guard import Guard


class Idle:
    """A connection, as far as resting is concerned."""

    def __init__(self, *, since: float) -> None:
        self.rests_since = since
        self.closed = False

    def close(self) -> None:
        self.closed = True


def put(resting: Resting, *idle: Idle) -> None:
    for connection in idle:
        resting.put(cast(WatchedConnection, connection))


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is second 100."""
    monkeypatch.setattr("worker.webhooks.connections.monotonic", lambda: 100.0)


def test_the_latest_goes_first_and_an_empty_place_says_so() -> None:
    resting = Resting(10)
    first, second = Idle(since=99), Idle(since=100)
    put(resting, first, second)
    resting.put(None)
    assert (resting.qsize(), resting.get(), resting.get()) == (2, second, first)
    with pytest.raises(queue.Empty):
        resting.get()


def test_those_that_rested_too_long_are_closed_when_another_comes_to_rest() -> None:
    resting = Resting(10)
    old, young = Idle(since=90), Idle(since=99)
    put(resting, old, young)
    assert old.closed
    assert not young.closed
    assert resting.qsize() == 1


def test_a_pool_that_is_used_no_more_is_tidied(monkeypatch: pytest.MonkeyPatch) -> None:
    pools = GuardedPools(Guard(allow=Allow.parse("127.0.0.0/8")), silence_seconds=1, num_pools=2, maxsize=4)
    resting = [cast(Resting, pools.connection_from_host("127.0.0.1", port, "http").pool) for port in (1, 2)]
    idle = [Idle(since=100), Idle(since=100)]
    for place, connection in zip(resting, idle, strict=True):
        put(place, connection)
    pools.tidy()
    assert not any(connection.closed for connection in idle)
    monkeypatch.setattr("worker.webhooks.connections.monotonic", lambda: 106.0)
    pools.tidy()
    assert all(connection.closed for connection in idle)


def test_the_oldest_makes_room() -> None:
    resting = Resting(2)
    idle = [Idle(since=100) for _ in range(4)]
    put(resting, *idle)
    assert [connection.closed for connection in idle] == [True, True, False, False]


def test_nothing_is_connected_to_but_for_a_call() -> None:
    pools = GuardedPools(Guard(allow=Allow.parse("127.0.0.0/8")), silence_seconds=1, num_pools=1, maxsize=1)
    with pytest.raises(RuntimeError):
        pools.connection_from_host("127.0.0.1", 1, "http").urlopen("POST", "/", retries=False)


def test_a_handshake_leaves_no_handle_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    handles: list[socket.socket] = []
    dup = socket.socket.dup

    def watched(connection: socket.socket) -> socket.socket:
        handles.append(dup(connection))
        return handles[-1]

    with speaking_plainly() as port, open_webhook_client() as client:
        monkeypatch.setattr(socket.socket, "dup", watched)
        post(client, f"https://127.0.0.1:{port}/")
    assert [handle.fileno() for handle in handles] == [-1]
