"""Workers of the first release beside those of the present one, on one Redis, as a rolling upgrade has them."""

import io
import json
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from jobs import keys
from jobs.projects import Projects
from tests.fakes.processes import CLEAN, Running
from tests.fakes.sandbox_server import running_sandbox
from tests.fakes.service import jobs_of, running_workers, seen, submit, wait_for_ends
from tests.fakes.waiting import wait_until

CHECKOUT = Path(__file__).parents[2]
FIRST = "b13ddac"
"""The commit of 0.1.0."""

SUBMIT = """
import json, sys
import redis
from tests.fakes.service import submit
with redis.Redis.from_url(sys.argv[1]) as client:
    print(json.dumps(submit(client, int(sys.argv[2]), fault=sys.argv[3])))
"""


@pytest.fixture(scope="module")
def first_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its files."""
    archive = subprocess.run(["git", "archive", FIRST], cwd=CHECKOUT, capture_output=True, check=False)
    if archive.returncode != 0:
        pytest.skip("0.1.0 is not in this checkout's history: it is shallow, or no git repository")
    folder = tmp_path_factory.mktemp("first")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    return folder


def of_first(release: Path, *command: str, **settings: str) -> "subprocess.Popen[bytes]":
    with (release / "output.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, *command],
            cwd=release,
            env=CLEAN | {"PYTHONPATH": str(release)} | settings,
            stdout=log,
            stderr=log,
        )


def submit_by_first(release: Path, redis_url: str, count: int, *, fault: str = "") -> list[str]:
    found = subprocess.run(
        [sys.executable, "-c", SUBMIT, redis_url, str(count), fault],
        cwd=release,
        env=CLEAN | {"PYTHONPATH": str(release)},
        capture_output=True,
        text=True,
        check=True,
    )
    return [str(number) for number in json.loads(found.stdout)]


@contextmanager
def first_worker(release: Path, client: redis.Redis, redis_url: str, sandbox: str) -> Iterator[Running]:
    settings = {
        "RESPOOL_REDIS_URL": redis_url,
        "RESPOOL_UPSTREAM_URL": f"{sandbox}/v1",
        "RESPOOL_UPSTREAM_API_KEY": "any",
        "RESPOOL_SLOTS": "20",
    }
    before = set(client.zrange(keys.WORKERS, 0, -1))
    command = [
        "-m",
        "celery",
        "-A",
        "worker.main",
        "worker",
        "--pool",
        "gevent",
        "--concurrency",
        "16",
        "--hostname",
        "first@test",
    ]
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    running = Running(process=of_first(release, *command, **settings), log=release / "output.log")
    try:
        wait_until(lambda: set(client.zrange(keys.WORKERS, 0, -1)) > before, seconds=30)
        yield running
    finally:
        running.kill()


def workers_of(client: redis.Redis, numbers: list[str]) -> set[str]:
    return {attempt["worker"] for job in jobs_of(client, numbers) for attempt in job.attempts}


def nothing_is_held(client: redis.Redis) -> bool:
    kinds = (b":lane_slots:", b":project_slots:", b":worker_jobs:", b":dispatched", b":delayed", b"lane_queue")
    return not [key for key in client.scan_iter(count=1000) if any(kind in key for kind in kinds)]


def test_jobs_of_both_releases_are_called_once_while_a_worker_of_each_runs(
    first_release: Path, store_client: redis.Redis, redis_url: str, tmp_path: Path
) -> None:
    with running_sandbox() as sandbox, first_worker(first_release, store_client, redis_url, sandbox) as old:
        under_way = submit_by_first(first_release, redis_url, 20, fault="delay=12")
        wait_until(lambda: seen(sandbox)["total"] == 20)
        waiting = submit_by_first(first_release, redis_url, 10)
        (first,) = workers_of(store_client, under_way)
        with running_workers(1, tmp_path, redis_url, sandbox, slots="20"):
            new = submit(store_client, 20)
            ended = wait_for_ends(store_client, [*under_way, *waiting, *new])
            assert Counter(job.status for job in ended) == {"completed": 50}
            assert seen(sandbox)["total"] == 50
            assert workers_of(store_client, under_way) == {first}
            assert first not in workers_of(store_client, [*waiting, *new])
            wait_until(lambda: nothing_is_held(store_client))
            assert Projects(store_client).get("default").held_tokens == 0
            assert old.stop() == 0


def test_a_worker_of_the_first_release_that_comes_later_gets_nothing_and_stops_nothing(
    first_release: Path, store_client: redis.Redis, redis_url: str, tmp_path: Path
) -> None:
    with running_sandbox() as sandbox, running_workers(1, tmp_path, redis_url, sandbox, slots="20"):
        with first_worker(first_release, store_client, redis_url, sandbox):
            numbers = submit(store_client, 60)
            assert {job.status for job in wait_for_ends(store_client, numbers)} == {"completed"}
        assert len(workers_of(store_client, numbers)) == 1
        assert seen(sandbox)["total"] == 60


def test_what_a_worker_of_the_first_release_dies_with_is_taken_over(
    first_release: Path, store_client: redis.Redis, redis_url: str, tmp_path: Path
) -> None:
    with running_sandbox() as sandbox, first_worker(first_release, store_client, redis_url, sandbox) as old:
        numbers = submit_by_first(first_release, redis_url, 3, fault="hang;times=1")
        wait_until(lambda: seen(sandbox)["total"] == 3)
        with running_workers(1, tmp_path, redis_url, sandbox, slots="20"):
            old.kill()
            ended = wait_for_ends(store_client, numbers)
        assert {job.status for job in ended} == {"completed"}
        for job in ended:
            assert [attempt["outcome"] for attempt in job.attempts] == ["lost", "completed"]
        assert Projects(store_client).get("default").held_tokens == 0


def test_after_going_back_the_first_release_works_and_what_it_cannot_see_waits_for_a_newer_one(
    first_release: Path, store_client: redis.Redis, redis_url: str, tmp_path: Path
) -> None:
    with running_sandbox() as sandbox:
        taken_over = submit_by_first(first_release, redis_url, 4, fault="delay=1")
        with running_workers(1, tmp_path, redis_url, sandbox, slots="1"):
            wait_until(lambda: seen(sandbox)["total"] == 1)
            new = submit(store_client, 2)
        with first_worker(first_release, store_client, redis_url, sandbox):
            own = submit_by_first(first_release, redis_url, 3)
            assert {job.status for job in wait_for_ends(store_client, own)} == {"completed"}
            assert {job.status for job in jobs_of(store_client, new)} == {"queued"}
        with running_workers(1, tmp_path, redis_url, sandbox, slots="20"):
            assert {job.status for job in wait_for_ends(store_client, [*taken_over, *new])} == {"completed"}
