"""Background responses: a worker that dies or stops leaves them to another; the process is a real one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from jobs.record import Job
from jobs.store import JobStore
from tests.fakes.sandbox_server import running_sandbox
from tests.fakes.service import jobs_of, running_workers, seen, submit, wait_for_ends
from tests.fakes.waiting import wait_until


@pytest.fixture
def sandbox() -> Iterator[str]:
    with running_sandbox() as base:
        yield base


@pytest.fixture
def limits_file(tmp_path: Path, sandbox: str) -> str:
    path = tmp_path / "limits.toml"
    path.write_text(
        f'[accounts.main]\nurl = "{sandbox}/v1"\napi_key_variable = "RESPOOL_UPSTREAM_API_KEY"\nbackground = true\n'
    )
    return str(path)


def outcomes(job: Job) -> list[str]:
    return [attempt["outcome"] for attempt in job.attempts]


def wait_until_kept(client: redis.Redis, number: str) -> None:
    """Until the record knows the response that was begun upstream."""
    wait_until(lambda: client.hexists(f"{{respool}}:job:{number}", "upstream"))


def only_call(sandbox: str) -> dict[str, Any]:
    (call,) = seen(sandbox)["data"]
    found: dict[str, Any] = call
    return found


@pytest.mark.parametrize("way", ["killed", "stopped"])
def test_another_worker_polls_on_and_no_attempt_is_spent(
    way: str, sandbox: str, limits_file: str, redis_url: str, store_client: redis.Redis, tmp_path: Path
) -> None:
    with running_workers(1, tmp_path, redis_url, sandbox, limits_file=limits_file, grace_seconds="0") as (first,):
        (number,) = submit(store_client, 1, fault="delay=6", on_unknown="fail", max_attempts=1)
        wait_until_kept(store_client, number)
        if way == "killed":
            first.kill()
        else:
            assert first.stop() == 0
    with running_workers(1, tmp_path, redis_url, sandbox, limits_file=limits_file):
        (job,) = wait_for_ends(store_client, [number])
    assert (job.status, job.attempts_spent, outcomes(job)) == ("completed", 1, ["lost", "completed"])
    assert [attempt["may_be_billed"] for attempt in job.attempts] == [False, True]
    call = only_call(sandbox)
    assert {attempt["upstream_response_id"] for attempt in job.attempts} == {call["response_id"]}
    assert call["cancels"] == 0


def test_a_cancel_in_flight_reaches_the_upstream(
    sandbox: str, limits_file: str, redis_url: str, store_client: redis.Redis, tmp_path: Path
) -> None:
    with running_workers(1, tmp_path, redis_url, sandbox, limits_file=limits_file):
        (number,) = submit(store_client, 1, fault="hang")
        wait_until_kept(store_client, number)
        JobStore(store_client, max_queued_bytes=1).cancel(number, project=None)
        wait_until(lambda: only_call(sandbox)["response_status"] == "cancelled")
    (job,) = jobs_of(store_client, [number])
    assert job.status == "cancelled"
    assert only_call(sandbox)["cancels"] == 1


def test_polls_that_are_refused_for_a_while_cost_nothing(
    sandbox: str, limits_file: str, redis_url: str, store_client: redis.Redis, tmp_path: Path
) -> None:
    with running_workers(1, tmp_path, redis_url, sandbox, limits_file=limits_file):
        numbers = submit(store_client, 3, fault="poll_status=503;poll_times=2", max_attempts=1)
        jobs = wait_for_ends(store_client, numbers)
    assert [(job.status, outcomes(job)) for job in jobs] == [("completed", ["completed"])] * 3
    assert [call["polls"] for call in seen(sandbox)["data"]] == [3, 3, 3]
