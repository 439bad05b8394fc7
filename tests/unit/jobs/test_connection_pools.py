"""Connections to a real server: how many stay open when a crowd has gone."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import redis

from jobs import connection_pools
from jobs.connection import connect
from jobs.record import new_number
from tests.fakes.sentinels import running_pair
from tests.fakes.waiting import wait_until

CROWD = 100


@pytest.fixture(scope="module")
def sentinel_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_pair(tmp_path_factory.mktemp("pair")) as pair:
        yield pair.url


@pytest.fixture(params=["redis_url", "sentinel_url"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.fixture
def client(url: str) -> Iterator[redis.Redis]:
    """One whose connections the server knows by a name of their own."""
    made = connect(url)
    made.connection_pool.connection_kwargs["client_name"] = f"crowd-{new_number()}"
    yield made
    made.connection_pool.disconnect()


@pytest.fixture
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of a second is a long time for a connection."""
    monkeypatch.setattr(connection_pools, "IDLE_SECONDS", 0.1)
    monkeypatch.setattr(connection_pools, "LOOK_SECONDS", 0.0)


def crowd(client: redis.Redis, size: int = CROWD) -> None:
    """So many want a connection at once, and give it back."""
    taken = [client.connection_pool.get_connection() for _ in range(size)]
    for connection in taken:
        connection.send_command("PING")
        assert connection.read_response() == b"PONG"
    for connection in taken:
        client.connection_pool.release(connection)


def opened(client: redis.Redis) -> int:
    """How many connections of the client the server has."""
    name = client.connection_pool.connection_kwargs["client_name"]
    return sum(one["name"] == name for one in client.client_list())


@pytest.mark.usefixtures("haste")
def test_what_a_crowd_left_is_closed_but_for_a_few(client: redis.Redis) -> None:
    crowd(client)
    assert opened(client) > connection_pools.KEPT_IDLE + 10
    wait_until(lambda: opened(client) <= connection_pools.KEPT_IDLE + 1)
    assert opened(client) >= connection_pools.KEPT_IDLE
    crowd(client)
    assert opened(client) > connection_pools.KEPT_IDLE + 10


def test_connections_that_were_used_a_moment_ago_stay(client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_pools, "LOOK_SECONDS", 0.0)
    crowd(client)
    for _ in range(50):
        client.ping()
    assert opened(client) == CROWD


@pytest.mark.usefixtures("haste")
def test_one_that_is_in_use_is_not_closed_however_long(client: redis.Redis) -> None:
    crowd(client)
    held = client.connection_pool.get_connection()
    wait_until(lambda: opened(client) <= connection_pools.KEPT_IDLE + 2)
    held.send_command("PING")
    assert held.read_response() == b"PONG"
    client.connection_pool.release(held)


def test_no_command_is_lost_while_others_close_all_that_they_can(
    client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("IDLE_SECONDS", "LOOK_SECONDS"):
        monkeypatch.setattr(connection_pools, name, 0.0)
    monkeypatch.setattr(connection_pools, "KEPT_IDLE", 0)
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: client.ping(), range(2000)))
    assert answers == [True] * 2000


def test_under_gevent_they_are_closed_too(redis_url: str) -> None:
    command = [sys.executable, "-m", "tests.fakes.gevent_crowd", redis_url]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    most, left = (int(word) for word in ran.stdout.split())
    assert most > left
    assert connection_pools.KEPT_IDLE <= left <= connection_pools.KEPT_IDLE + 1


def test_a_pool_has_room_for_as_many_as_before(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IDLE_SECONDS", "LOOK_SECONDS", "KEPT_IDLE"):
        monkeypatch.setattr(connection_pools, name, 0)
    with connect(redis_url, connections=8) as client:
        for _ in range(5):
            crowd(client, 8)
        taken = [client.connection_pool.get_connection() for _ in range(8)]
        with suppress(redis.ConnectionError):
            taken.append(client.connection_pool.get_connection())
        assert len(taken) == 8
        for connection in taken:
            client.connection_pool.release(connection)
