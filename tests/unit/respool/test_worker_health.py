import socket
import subprocess
import sys

import redis

from jobs.workers import Workers
from tests.fakes.processes import CLEAN
from tests.fakes.redis_server import free_port


def check(redis_url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "respool.worker_health"],
        env=CLEAN | {"RESPOOL_REDIS_URL": redis_url},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_it_passes_for_a_live_worker_of_this_host(redis_url: str, store_client: redis.Redis) -> None:
    Workers(store_client).beat("w", slots=1, about={"host": socket.gethostname(), "pid": 1, "started_at": 1.0})
    assert check(redis_url).returncode == 0


def test_a_worker_of_another_host_does_not_count(redis_url: str, store_client: redis.Redis) -> None:
    Workers(store_client).beat("w", slots=1, about={"host": "elsewhere", "pid": 1, "started_at": 1.0})
    assert check(redis_url).returncode == 1


def test_an_absent_redis_fails_it_without_a_trace() -> None:
    failed = check(f"redis://127.0.0.1:{free_port()}/0")
    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr
