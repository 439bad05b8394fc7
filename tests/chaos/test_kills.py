"""A worker is killed while many calls of it run."""

from collections import Counter
from pathlib import Path

import pytest
import redis
import requests

from tests.chaos.leaks import nothing_is_left
from tests.fakes.sandbox_server import running_sandbox
from tests.fakes.service import running_workers, submit, wait_for_ends
from tests.fakes.waiting import wait_until

pytestmark = pytest.mark.chaos


def calls_by_key(sandbox: str) -> Counter[str]:
    """How often the sandbox was called for each job."""
    return Counter(requests.get(f"{sandbox}/sandbox/keys?at_least=1", timeout=10).json())


def in_flight(sandbox: str) -> int:
    return int(requests.get(f"{sandbox}/sandbox/requests?limit=1", timeout=10).json()["in_flight"])


def test_a_killed_workers_hundred_calls_all_end_and_the_record_shows_what_may_be_billed_twice(
    store_client: redis.Redis, redis_url: str, tmp_path: Path
) -> None:
    with (
        running_sandbox() as sandbox,
        running_workers(2, tmp_path, redis_url, sandbox, slots="100") as (doomed, _),
    ):
        numbers = submit(store_client, 100, fault="delay=3")
        wait_until(lambda: in_flight(sandbox) == 100)
        doomed.kill()
        jobs = wait_for_ends(store_client, numbers)
        assert {job.status for job in jobs} == {"completed"}
        lost = {job.id for job in jobs if job.attempts[0]["outcome"] == "lost"}
        assert 0 < len(lost) < 100
        assert all(job.attempts[0]["may_be_billed"] for job in jobs)
        assert calls_by_key(sandbox) == {job.id: 1 + (job.id in lost) for job in jobs}
        wait_until(lambda: nothing_is_left(store_client))
