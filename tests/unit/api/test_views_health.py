import logging
from pathlib import Path

import pytest

from api.app import create_app
from jobs.connection import connect
from jobs.settings import Settings
from tests.fakes.bench import Bench
from tests.fakes.redis_server import running_redis
from tests.unit.api.conftest import Caller


def test_alive_needs_neither_key_nor_redis(nobody: Caller) -> None:
    assert nobody.get("/healthz").json == {"status": "ok"}


def test_ready_tells_of_workers_and_needs_none(nobody: Caller, bench: Bench) -> None:
    assert nobody.get("/readyz").json == {
        "status": "ok",
        "workers": {"live": 0, "slots": 0, "jobs": 0},
        "persistence": {"appendonly": False, "maxmemory_policy": "noeviction"},
    }
    bench.run_one("w1")
    bench.beat("w2", slots=5)
    assert nobody.get("/readyz").json["workers"] == {"live": 2, "slots": 15, "jobs": 1}


def test_ready_warns_once_of_a_redis_that_may_lose_jobs(nobody: Caller, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            nobody.get("/readyz")
    assert caplog.text.count("NOT SET UP TO KEEP JOBS") == 1


def test_ready_does_without_what_redis_does_not_tell(tmp_path: Path) -> None:
    with running_redis(tmp_path) as server, connect(server.url) as client:
        client.acl_setuser("default", enabled=True, nopass=True, keys=["*"], commands=["-info"])
        answer = create_app(Settings(redis_url=server.url)).test_client().get("/readyz")
    assert (answer.status_code, answer.json["persistence"]) == (200, None)
