import socket
import subprocess
import sys

import pytest
import redis

from jobs.webhooks.senders import Senders
from jobs.workers import Workers
from tests.fakes.processes import CLEAN
from tests.fakes.redis_server import free_port


def check(redis_url: str, *kind: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "respool.worker_health", *kind],
        env=CLEAN | {"RESPOOL_REDIS_URL": redis_url},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def about(host: str) -> dict[str, str | int | float]:
    return {"host": host, "pid": 1, "started_at": 1.0}


@pytest.mark.parametrize(("kind", "other"), [("worker", "sender"), ("sender", "worker")])
def test_it_passes_for_a_live_process_of_this_host_and_kind(
    kind: str, other: str, redis_url: str, store_client: redis.Redis
) -> None:
    ledgers: dict[str, Workers | Senders] = {"worker": Workers(store_client), "sender": Senders(store_client)}
    ledgers[kind].beat("here", slots=1, about=about(socket.gethostname()))
    assert check(redis_url, kind).returncode == 0
    assert check(redis_url, other).returncode == 1


def test_a_worker_is_looked_for_unless_another_kind_is_named(redis_url: str, store_client: redis.Redis) -> None:
    Workers(store_client).beat("w", slots=1, about=about(socket.gethostname()))
    assert check(redis_url).returncode == 0


def test_a_worker_of_another_host_does_not_count(redis_url: str, store_client: redis.Redis) -> None:
    Workers(store_client).beat("w", slots=1, about=about("elsewhere"))
    assert check(redis_url).returncode == 1


def test_an_absent_redis_fails_it_without_a_trace() -> None:
    failed = check(f"redis://127.0.0.1:{free_port()}/0")
    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr
