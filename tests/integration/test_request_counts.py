"""Requests are counted right over all processes of the API, whatever stops."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import requests
from prometheus_client.parser import text_string_to_metric_families

from jobs import keys
from tests.fakes.processes import running_api
from tests.fakes.redis_server import KEEPING, RedisServer, running_redis
from tests.fakes.waiting import wait_until

MISSES = "requests\nother\nGET\n4xx"
"""The field of paths that there are not: nothing else asks for them."""


@pytest.fixture
def kept_redis(tmp_path: Path) -> Iterator[RedisServer]:
    with running_redis(tmp_path, *KEEPING) as server:
        yield server


def settings(server: RedisServer) -> dict[str, str]:
    return {"RESPOOL_REDIS_URL": server.url, "RESPOOL_API_KEY": "known", "WEB_CONCURRENCY": "2"}


def miss(base: str, times: int) -> None:
    """Each over a connection of its own, so that both processes answer some."""
    for _ in range(times):
        assert requests.get(f"{base}/nowhere", timeout=10).status_code == 404


def told(base: str) -> float:
    families = text_string_to_metric_families(requests.get(f"{base}/metrics", timeout=10).text)
    return sum(
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == "respool_http_requests_total" and sample.labels["route"] == "other"
    )


def test_every_process_tells_what_all_have_answered_also_after_redis_was_away(
    kept_redis: RedisServer, tmp_path: Path
) -> None:
    with running_api(tmp_path, settings(kept_redis)) as base:
        miss(base, 20)
        wait_until(lambda: {told(base) for _ in range(4)} == {20})
        kept_redis.kill()
        miss(base, 10)
        kept_redis.start()
        wait_until(lambda: {told(base) for _ in range(4)} == {30}, seconds=30)


def test_a_process_that_is_stopped_leaves_all_that_it_counted(kept_redis: RedisServer, tmp_path: Path) -> None:
    with running_api(tmp_path, settings(kept_redis)) as base:
        miss(base, 20)
    with redis.Redis(port=kept_redis.port) as client:
        assert client.hget(keys.METRICS, MISSES) == b"20"
