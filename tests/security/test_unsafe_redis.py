"""A Redis that may lose jobs, or that anybody can reach, is no place to start with."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs.connection import connect
from jobs.persistence import Persistence
from jobs.redis_safety import RedisSafety, doubts_of, faults_of
from tests.fakes.processes import Running, start
from tests.fakes.redis_server import RedisServer, free_port, running_redis
from tests.fakes.waiting import wait_until

KEEPS = Persistence(appendonly=True, maxmemory_policy="noeviction")
CELERY = ("--pool", "gevent", "--concurrency", "4", "--without-gossip", "--without-mingle", "--without-heartbeat")
COMMANDS = {
    "api": ["gunicorn", "--config", "python:api.gunicorn_config", "--workers", "1", "api.main:app"],
    "worker": ["celery", "-A", "worker.main", "worker", *CELERY],
    "sender": ["celery", "-A", "worker.webhooks.main", "worker", *CELERY],
}
CODES = {"api": 3, "worker": 78, "sender": 78}
LONG = os.environ.get("RESPOOL_CHAOS") == "long"
REFUSED = "RESPOOL_UNSAFE_REDIS=allow starts all the same"


@pytest.mark.parametrize(
    ("found", "address", "login", "says"),
    [
        (KEEPS, "127.0.0.1", False, None), (KEEPS, "10.1.2.3", False, None), (KEEPS, "8.8.8.8", True, None),
        (None, "127.0.0.1", False, None), (None, "8.8.8.8", False, "public address"),
        (KEEPS, "8.8.8.8", False, "public address"), (KEEPS, "2600::1", False, "public address"),
        (KEEPS, "::ffff:8.8.8.8", False, "public address"), (KEEPS, "fd00::1", False, None),
        (Persistence(appendonly=False, maxmemory_policy="noeviction"), "127.0.0.1", True, "append-only"),
        (Persistence(appendonly=True, maxmemory_policy="volatile-ttl"), "127.0.0.1", True, "volatile-ttl"),
    ],
)  # fmt: skip
def test_what_is_no_place_for_jobs(found: Persistence | None, address: str, login: bool, says: str | None) -> None:
    faults = faults_of(found, address=address, login=login)
    assert bool(faults) == (says is not None)
    assert (says or "") in " ".join(faults)


@pytest.mark.parametrize(
    ("found", "address", "login", "count"),
    [
        (KEEPS, "127.0.0.1", False, 0),
        (KEEPS, "10.1.2.3", True, 0),
        (KEEPS, "10.1.2.3", False, 1),
        (None, "::1", False, 1),
    ],
)
def test_what_an_operator_may_have_arranged_so(
    found: Persistence | None, address: str, login: bool, count: int
) -> None:
    assert len(doubts_of(found, address=address, login=login)) == count


def test_it_is_asked_until_it_answers_and_then_no_more(tmp_path: Path) -> None:
    server = RedisServer(folder=tmp_path, port=free_port())
    with connect(server.url) as client:
        safety = RedisSafety(client, unsafe="refuse")
        assert (safety.refusal(), safety.answered) == (None, False)
        server.start()
        try:
            assert "append-only" in (safety.refusal() or "")
        finally:
            server.kill()
        assert (safety.refusal(), safety.answered) == (None, True)


def test_where_it_is_allowed_it_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with running_redis(tmp_path, "--maxmemory-policy", "allkeys-lru") as server, connect(server.url) as client:
        assert RedisSafety(client, unsafe="allow").refusal() is None
    told = [record.message for record in caplog.records if "NOT SET UP TO KEEP JOBS" in record.message]
    assert ["append-only" in told[0], "allkeys-lru" in told[1]] == [True, True]


def test_a_server_that_does_not_say_is_started_with_and_told_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running_redis(tmp_path) as server, connect(server.url) as client:
        client.acl_setuser("default", enabled=True, nopass=True, keys=["*"], commands=["-info"])
        assert RedisSafety(client, unsafe="refuse").refusal() is None
    assert "does not say" in caplog.text


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[[str, str], Running]]:
    """Starts one of COMMANDS with a Redis."""
    started: list[Running] = []

    def one(name: str, redis_url: str) -> Running:
        settings = {"RESPOOL_REDIS_URL": redis_url, "RESPOOL_UNSAFE_REDIS": "refuse", "PORT": str(free_port())}
        started.append(start(COMMANDS[name], tmp_path, name, settings))
        return started[-1]

    yield one
    for running in started:
        running.kill()


def test_no_process_starts_with_a_redis_that_may_lose_jobs(run: Callable[[str, str], Running], redis_url: str) -> None:
    running = {name: run(name, redis_url) for name in COMMANDS}
    assert {name: one.process.wait(timeout=90) for name, one in running.items()} == CODES
    for one in running.values():
        text = one.log.read_text()
        assert REFUSED in text
        assert "append-only file is off" in text
        assert "Traceback" not in text


@pytest.mark.parametrize("name", COMMANDS if LONG else ["api"])
def test_a_redis_that_comes_later_is_judged_when_it_comes(
    name: str, run: Callable[[str, str], Running], tmp_path: Path
) -> None:
    server = RedisServer(folder=tmp_path, port=free_port())
    running = run(name, server.url)
    try:
        wait_until(lambda: awaits(running.log), seconds=90)
        assert running.process.poll() is None
        server.start()
        running.process.wait(timeout=90)
        assert REFUSED in running.log.read_text()
    finally:
        server.kill()


def awaits(log: Path) -> bool:
    """Whether a process is up, and without a Redis."""
    text = log.read_text()
    return "Booting worker" in text or "Cannot connect to" in text
