import logging
from pathlib import Path

import pytest

from jobs.connection import connect
from jobs.errors import StoreUnavailable
from jobs.persistence import Persistence, PersistenceCheck
from tests.fakes.redis_server import free_port, running_redis


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.name == "jobs.persistence"]


def test_a_server_that_keeps_everything_is_told_of_and_not_warned_about(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running_redis(tmp_path, "--appendonly", "yes") as server, connect(server.url) as client:
        found = PersistenceCheck(client).read()
    assert found == Persistence(appendonly=True, maxmemory_policy="noeviction")
    assert warnings(caplog) == []


def test_a_server_that_may_lose_jobs_is_warned_about_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with (
        running_redis(tmp_path, "--maxmemory-policy", "allkeys-lru") as server,
        connect(server.url) as client,
        caplog.at_level(logging.WARNING),
    ):
        check = PersistenceCheck(client)
        found = [check.read() for _ in range(3)]
    assert found == [Persistence(appendonly=False, maxmemory_policy="allkeys-lru")] * 3
    (told,) = warnings(caplog)
    assert "appendonly" in told
    assert "allkeys-lru" in told


def test_a_server_that_does_not_say_is_no_fault(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with running_redis(tmp_path) as server, connect(server.url) as client:
        client.acl_setuser("default", enabled=True, nopass=True, keys=["*"], commands=["-info"])
        assert PersistenceCheck(client).read() is None
    assert warnings(caplog) == []


def test_a_server_that_is_away_is_unavailable() -> None:
    with connect(f"redis://127.0.0.1:{free_port()}/0") as client, pytest.raises(StoreUnavailable):
        PersistenceCheck(client).read()
