import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis
from flask import Flask

from api.app import create_app
from jobs.settings import Settings
from tests.fakes.redis_server import RedisServer, running_redis
from tests.unit.api.conftest import Caller, error_of, job_body

JOB = f"/v1/jobs/job_{'0' * 32}"
NEEDS_REDIS = [
    ("POST", "/v1/jobs"), ("GET", "/v1/jobs"), ("GET", "/v1/jobs?status=queued"), ("GET", JOB), ("GET", JOB + "?raw=1"),
    ("GET", JOB + " wait"), ("DELETE", JOB), ("POST", JOB + "/cancel"), ("GET", "/v1/usage"), ("GET", "/readyz"),
    ("POST", "/v1/jobs?dry_run=1"), ("POST", JOB + "/retry"), ("GET", "/v1/lanes"), ("GET", "/v1/lanes/default:m"),
    ("GET", "/v1/projects"), ("GET", "/v1/projects/default"),
]  # fmt: skip


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that this test may kill or stop."""
    with running_redis(tmp_path) as server:
        yield server


def callers(server: RedisServer) -> list[Caller]:
    """One whose key is known without Redis, one whose key must be looked up there."""
    client = create_app(Settings(redis_url=server.url, api_key="known")).test_client()
    return [Caller(client, "known"), Caller(client, "rsp_unknown")]


def ask(caller: Caller, method: str, path: str) -> None:
    """503 as the protocol has it, within 2 s; a busy machine gets three tries."""
    path, _, wait = path.partition(" ")
    headers = {"Prefer": "wait=60"} if wait else {}
    seconds = []
    for _ in range(3):
        began = time.monotonic()
        answer = caller.ask(method, path, headers=headers, json=job_body() if method == "POST" else None)
        seconds.append(time.monotonic() - began)
        assert answer.status_code == 503
        assert error_of(answer)["code"] == "store_unavailable"
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        if seconds[-1] < 2:
            return
    raise AssertionError(f"it took {seconds} s")


@pytest.mark.parametrize("before", ["connected", "unconnected"])
def test_when_redis_is_away_every_route_that_needs_it_says_so(before: str, own_redis: RedisServer) -> None:
    both = callers(own_redis)
    if before == "connected":
        assert both[0].get("/readyz").status_code == 200
    own_redis.kill()
    for caller in both:
        for method, path in NEEDS_REDIS:
            ask(caller, method, path)
        assert caller.get("/healthz").status_code == 200
    own_redis.start()
    assert both[0].submit().status_code == 202


@pytest.mark.parametrize("before", ["connected", "unconnected"])
def test_when_redis_hangs_every_route_that_needs_it_says_so(before: str, own_redis: RedisServer) -> None:
    known, unknown = callers(own_redis)
    if before == "connected":
        assert known.get("/readyz").status_code == 200
    assert own_redis.process is not None
    asked = [(known, *route) for route in NEEDS_REDIS] + [(unknown, "GET", "/v1/jobs")]
    os.kill(own_redis.process.pid, signal.SIGSTOP)
    try:
        with ThreadPoolExecutor(len(asked)) as threads:
            for done in [threads.submit(ask, *one) for one in asked]:
                done.result()
        assert known.get("/healthz").status_code == 200
    finally:
        os.kill(own_redis.process.pid, signal.SIGCONT)
    assert known.submit().status_code == 202


def test_a_redis_that_takes_no_writes_is_not_ready(own_redis: RedisServer) -> None:
    known, _ = callers(own_redis)
    with redis.Redis(port=own_redis.port) as client:
        client.config_set("min-replicas-to-write", 1)
        assert known.submit().status_code == 503
        assert known.get("/readyz").status_code == 503
        assert known.get("/v1/jobs").status_code == 200
        client.config_set("min-replicas-to-write", 0)
    assert known.get("/readyz").status_code == 200


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v2/jobs", "/v1/jobs/a/b", "/v1/jobs/a/b/c", "/favicon.ico", "/é"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_route_is_404_in_json(path: str, method: str, nobody: Caller) -> None:
    answer = nobody.ask(method, path)
    assert answer.status_code == 404
    assert error_of(answer)["code"] == "not_found"


def test_an_unknown_route_is_named_and_the_list_of_those_that_are_there(nobody: Caller) -> None:
    message = error_of(nobody.post("/v1/chat/completions", json={}))["message"]
    assert message == "There is no route POST /v1/chat/completions; /docs lists those that are there."


def test_a_wrong_verb_is_named_with_the_right_ones_in_words(alice: Caller) -> None:
    message = error_of(alice.ask("PUT", "/v1/responses"))["message"]
    assert message == "There is no route PUT /v1/responses; the path takes GET, HEAD, OPTIONS, POST."


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/jobs", {"GET", "HEAD", "OPTIONS", "POST"}), ("POST", JOB, {"GET", "HEAD", "OPTIONS", "DELETE"}),
        ("GET", JOB + "/cancel", {"POST", "OPTIONS"}), ("POST", "/v1/usage", {"GET", "HEAD", "OPTIONS"}),
        ("POST", "/v1/lanes/default:m", {"GET", "HEAD", "OPTIONS", "PATCH"}),
        ("GET", JOB + "/retry", {"POST", "OPTIONS"}),
        ("POST", "/v1/projects", {"GET", "HEAD", "OPTIONS"}), ("POST", "/healthz", {"GET", "HEAD", "OPTIONS"}),
        ("DELETE", "/openapi.json", {"GET", "HEAD", "OPTIONS"}),
    ],
)  # fmt: skip
def test_a_wrong_verb_is_405_and_names_the_right_ones(method: str, path: str, allowed: set[str], alice: Caller) -> None:
    answer = alice.ask(method, path)
    assert answer.status_code == 405
    assert error_of(answer)["code"] == "method_not_allowed"
    assert set(answer.headers["Allow"].split(", ")) == allowed


def test_what_surprises_is_a_500_that_tells_nothing(app: Flask, nobody: Caller) -> None:
    def fail() -> str:
        raise ZeroDivisionError("the secret is 42")

    app.add_url_rule("/surprise", view_func=fail)
    answer = nobody.get("/surprise")
    assert answer.status_code == 500
    assert error_of(answer)["type"] == "server_error"
    assert "42" not in answer.text
