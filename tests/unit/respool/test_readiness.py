import os
import socket

import pytest
import redis

from jobs.webhooks.senders import Senders
from jobs.workers import Workers
from respool.errors import CannotRun
from respool.readiness import all_live, http_answers, redis_answers
from tests.fakes.redis_server import RedisServer, free_port
from tests.fakes.sandbox_server import running_sandbox

ABOUT: dict[str, str | int | float] = {"host": "here", "pid": 4711, "started_at": 1.0}


def test_a_server_that_takes_commands_answers(redis_url: str) -> None:
    assert redis_answers(redis_url)


def test_where_nobody_listens_nothing_answers() -> None:
    port = free_port()
    assert not redis_answers(f"redis://127.0.0.1:{port}/0")
    assert not http_answers(f"http://127.0.0.1:{port}/healthz")


def test_a_wrong_password_will_never_become_right(redis_server: RedisServer, store_client: redis.Redis) -> None:
    store_client.acl_setuser("someone", enabled=True, passwords=["+right"], categories=["+@all"])
    try:
        with pytest.raises(CannotRun, match="refuses"):
            redis_answers(f"redis://someone:wrong@127.0.0.1:{redis_server.port}/0")
    finally:
        store_client.acl_deluser("someone")


def test_http_answers_when_it_is_200() -> None:
    with running_sandbox() as base:
        assert http_answers(f"{base}/healthz")
        assert not http_answers(f"{base}/nowhere")


def test_a_listener_that_says_nothing_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert not http_answers(f"http://127.0.0.1:{silent.getsockname()[1]}/healthz")


def test_workers_and_senders_live_when_each_process_has_told_so(redis_url: str, store_client: redis.Redis) -> None:
    assert not all_live(redis_url, {4711})
    Workers(store_client).beat("w1", slots=3, about=ABOUT)
    assert all_live(redis_url, {4711})
    assert not all_live(redis_url, {4711, os.getpid()})
    Senders(store_client).beat("s1", slots=3, about=ABOUT | {"pid": os.getpid()})
    assert all_live(redis_url, {4711, os.getpid()})


def test_processes_of_an_absent_store_do_not_live() -> None:
    assert not all_live(f"redis://127.0.0.1:{free_port()}/0", {4711})
