"""Workers and Redis are killed while jobs run. `make chaos` runs the long form."""

import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import requests

from jobs import keys
from jobs.connection import connect
from jobs.projects import Projects
from jobs.record import JOB_PREFIX, Job
from tests.fakes.processes import Running, start_worker
from tests.fakes.redis_server import KEEPING, RedisServer, running_redis
from tests.fakes.sandbox_server import running_sandbox
from tests.fakes.service import running_workers, submit, wait_for_ends
from tests.fakes.waiting import wait_until

pytestmark = pytest.mark.chaos

LONG = os.environ.get("RESPOOL_CHAOS") == "long"
KILLS, JOBS_A_KILL, WORKERS = (30, 250, 3) if LONG else (4, 60, 2)
END_SECONDS = 600 if LONG else 90


@pytest.fixture
def durable_redis(tmp_path: Path) -> Iterator[RedisServer]:
    with running_redis(tmp_path, *KEEPING) as server:
        yield server


def calls_by_key(sandbox: str) -> Counter[str]:
    """How often the sandbox was called for each job."""
    return Counter(requests.get(f"{sandbox}/sandbox/keys?at_least=1", timeout=10).json())


def in_flight(sandbox: str) -> int:
    return int(requests.get(f"{sandbox}/sandbox/requests?limit=1", timeout=10).json()["in_flight"])


def nothing_is_left(client: redis.Redis) -> bool:
    """No slot, no place in a backlog, no worker's hold on a job, nothing held of a budget."""
    kinds = ("lane_slots", "project_slots", "backlog_jobs", "worker_jobs")
    places = [key for kind in kinds for key in client.scan_iter(f"{keys.PREFIX}{kind}:*")]
    held = [project.held_tokens for project in Projects(client).all()]
    return not places and not any(held) and client.hget(keys.COUNTERS, "queued_bytes") == b"0"


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


def test_no_job_is_lost_or_stuck_or_called_twice_unseen_while_workers_are_killed(
    store_client: redis.Redis, redis_url: str, tmp_path: Path
) -> None:
    dice = random.Random(20)
    with (
        running_sandbox() as sandbox,
        running_workers(WORKERS, tmp_path, redis_url, sandbox, slots="40") as workers,
    ):
        numbers: list[str] = []
        for round_ in range(KILLS):
            numbers += submit(store_client, JOBS_A_KILL, fault="delay=0.3", max_attempts=20)
            wait_until(lambda: in_flight(sandbox) > 0)
            time.sleep(dice.uniform(0, 0.8))  # the moment of the kill is what is drawn by lot
            victim = dice.randrange(len(workers))
            workers[victim].kill()
            workers[victim] = _again(tmp_path, redis_url, sandbox, f"again{round_}")
        try:
            jobs = wait_for_ends(store_client, numbers, seconds=END_SECONDS)
        finally:
            for worker in workers:
                worker.kill()
        _check(jobs, calls_by_key(sandbox))


def _again(folder: Path, redis_url: str, sandbox: str, name: str) -> Running:
    settings = {"REDIS_URL": redis_url, "UPSTREAM_URL": f"{sandbox}/v1", "UPSTREAM_API_KEY": "any", "SLOTS": "40"}
    return start_worker(folder, {f"RESPOOL_{name}": value for name, value in settings.items()}, name=name)


def _check(jobs: list[Job], calls: Counter[str]) -> None:
    assert Counter(job.status for job in jobs) == {"completed": len(jobs)}
    for job in jobs:
        ended = [entry for entry in job.attempts if entry["outcome"] == "completed"]
        assert len(ended) == 1, job
        sent = [entry for entry in job.attempts if entry["delivery"] != "not_sent"]
        assert calls[job.id] <= len(sent), f"a call that no attempt of {JOB_PREFIX}{job.number} tells of"


def test_jobs_end_once_although_redis_is_killed_again_and_again(durable_redis: RedisServer, tmp_path: Path) -> None:
    dice = random.Random(7)
    client = connect(durable_redis.url)
    with (
        running_sandbox() as sandbox,
        running_workers(2, tmp_path, durable_redis.url, sandbox, slots="40"),
    ):
        numbers: list[str] = []
        for _ in range(KILLS // 2):
            numbers += submit(client, JOBS_A_KILL, fault="delay=0.3", max_attempts=20)
            wait_until(lambda: in_flight(sandbox) > 0)
            time.sleep(dice.uniform(0, 0.8))  # the moment of the kill is what is drawn by lot
            durable_redis.kill()
            durable_redis.start()
        jobs = wait_for_ends(client, numbers, seconds=END_SECONDS)
        _check(jobs, calls_by_key(sandbox))
        wait_until(lambda: nothing_is_left(client))
    client.close()
