"""A project with very many jobs does not hold up one with few. `make chaos` runs it with fifty thousand."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
import redis
import requests

from jobs import keys
from jobs.projects import Projects
from jobs.record import JOB_PREFIX
from jobs.scripts import run_all
from jobs.store import JobStore
from tests.factories import new_job, unique
from tests.fakes.sandbox_server import running_sandbox
from tests.fakes.service import running_workers, wait_for_ends
from tests.fakes.waiting import wait_until

pytestmark = pytest.mark.chaos

MANY = 50_000 if os.environ.get("RESPOOL_CHAOS") == "long" else 2_000
FEW, IN_FLIGHT = 10, 10


def submit(client: redis.Redis, project: str, count: int) -> list[str]:
    """Many at a time, each by the script that a submit runs."""
    store, numbers = JobStore(client, max_queued_bytes=2**40), []
    for first in range(0, count, 500):
        jobs = [new_job(project=project) for _ in range(min(500, count - first))]
        answers = run_all(client, [store.submission(job, unique()) for job in jobs])
        assert {answer[0] for answer in answers} == {b"created"}
        numbers += [job.number for job in jobs]
    return numbers


def calls(sandbox: str) -> list[str]:
    """The numbers of the jobs that the endpoint was called for."""
    seen = requests.get(f"{sandbox}/sandbox/requests", timeout=30).json()["data"]
    return [call["idempotency_key"].removeprefix(JOB_PREFIX) for call in seen]


def by_turn(client: redis.Redis, numbers: Sequence[str]) -> list[str]:
    """In the order in which they were released: a worker that is slow calls later what it was given before others."""
    released = {number: int(client.hget(keys.job(number), "released") or 0) for number in numbers}
    return sorted(numbers, key=lambda number: released[number])


@pytest.mark.parametrize(("weight", "turns"), [(1, 2), (3, 4 / 3)])
def test_ten_jobs_behind_very_many_take_their_share_of_the_turns(
    weight: float, turns: float, store_client: redis.Redis, redis_url: str, tmp_path: Path
) -> None:
    """With half of the lane, every second call is one of the few; with weight 3, three of four."""
    Projects(store_client).change("few", {"weight": weight})
    submit(store_client, "many", MANY)
    limits = tmp_path / "limits.toml"
    limits.write_text(f"[default]\nin_flight = {IN_FLIGHT}\n")
    with (
        running_sandbox(kept_requests=20_000) as sandbox,
        running_workers(2, tmp_path, redis_url, sandbox, slots=str(IN_FLIGHT), limits_file=str(limits)),
    ):
        wait_until(lambda: len(calls(sandbox)) > IN_FLIGHT)
        before = len(calls(sandbox))
        few = submit(store_client, "few", FEW)
        wait_for_ends(store_client, few)
        order = by_turn(store_client, calls(sandbox))
    places = [place for place, number in enumerate(order[before:], 1) if number in few]
    between = places[-1] - places[0] + 1
    assert len(places) == FEW
    # Those that are released at a time have no order among themselves.
    assert between <= turns * FEW + IN_FLIGHT
