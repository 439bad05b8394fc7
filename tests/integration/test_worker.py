"""What happens to jobs when the endpoint, the worker process or Redis misbehaves; the process is a real one."""

import base64
import json
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import requests

from jobs import keys
from jobs.connection import connect
from jobs.lane_states import LaneStates
from jobs.lanes import Lanes, lane_of
from jobs.limits import Limits
from jobs.record import Job
from jobs.store import JobStore
from jobs.waiting import WaitingRoom
from jobs.workers import Workers
from tests.factories import MODEL, new_job, unique
from tests.fakes.processes import Running
from tests.fakes.redis_server import KEEPING, running_redis
from tests.fakes.sandbox_server import running_sandbox
from tests.fakes.service import jobs_of, running_workers, seen, submit, wait_for_ends
from tests.fakes.waiting import wait_until

LANE = lane_of(MODEL)


@pytest.fixture
def sandbox() -> Iterator[str]:
    with running_sandbox() as base:
        yield base


@pytest.fixture
def worker(sandbox: str, redis_url: str, tmp_path: Path) -> Iterator[Running]:
    with running_workers(1, tmp_path, redis_url, sandbox, grace_seconds="20") as (running,):
        yield running


def one(client: redis.Redis, number: str) -> Job:
    (job,) = jobs_of(client, [number])
    return job


def outcomes(job: Job) -> list[str]:
    return [attempt["outcome"] for attempt in job.attempts]


def waiting_reason(client: redis.Redis, number: str) -> str | None:
    return WaitingRoom(client, Limits(), ageing_seconds=60).of([one(client, number)])[number].reason


def test_a_refusal_for_its_rate_pauses_the_lane_visibly_and_spends_no_attempt(
    worker: Running, sandbox: str, store_client: redis.Redis
) -> None:
    (number,) = submit(store_client, 1, fault="status=429;code=ServerOverloaded;retry_after=1;times=1", max_attempts=1)
    wait_until(lambda: waiting_reason(store_client, number) == "lane_paused: ServerOverloaded")
    (job,) = wait_for_ends(store_client, [number])
    assert (job.status, outcomes(job), job.attempts_spent) == ("completed", ["snoozed", "completed"], 1)
    first, second = seen(sandbox)["data"]
    assert second["started_at"] - first["started_at"] >= 1


def test_an_account_at_fault_stops_the_lane_and_keeps_its_jobs(
    worker: Running, sandbox: str, store_client: redis.Redis
) -> None:
    fault = "status=401;code=AuthenticationError;times=1"
    numbers = submit(store_client, 1, fault=fault)
    wait_until(lambda: waiting_reason(store_client, numbers[0]) == "lane_paused: AuthenticationError")
    numbers += submit(store_client, 5)
    assert {job.status for job in jobs_of(store_client, numbers)} == {"queued"}
    assert seen(sandbox)["total"] == 1
    LaneStates(store_client, Limits()).resume(LANE, reason="the key is right now", by="the operator")
    jobs = wait_for_ends(store_client, numbers)
    assert {job.status for job in jobs} == {"completed"}
    assert {job.attempts_spent for job in jobs} == {1}


def test_failures_that_pass_are_tried_again_and_all_attempts_are_shown(
    worker: Running, store_client: redis.Redis
) -> None:
    (job,) = wait_for_ends(store_client, submit(store_client, 1, fault="status=500;times=2"))
    assert (job.status, outcomes(job), job.attempts_spent) == ("completed", ["failed", "failed", "completed"], 3)
    assert [attempt["http_status"] for attempt in job.attempts] == [500, 500, 200]
    assert [attempt["number"] for attempt in job.attempts] == [1, 2, 3]


def test_a_permanent_refusal_is_final(worker: Running, sandbox: str, store_client: redis.Redis) -> None:
    (job,) = wait_for_ends(store_client, submit(store_client, 1, fault="status=400;code=MissingParameter;message=no"))
    assert (job.status, job.error) == ("failed", {"code": "MissingParameter", "message": "no", "retryable": False})
    assert seen(sandbox)["total"] == 1


def test_a_call_beyond_its_time_is_hung_up(worker: Running, sandbox: str, store_client: redis.Redis) -> None:
    numbers = submit(store_client, 1, fault="hang", run_timeout_seconds=0.3, max_attempts=1)
    (job,) = wait_for_ends(store_client, numbers)
    assert job.error is not None
    assert (job.status, job.error["code"], job.error["retryable"]) == ("failed", "run_timeout", True)
    wait_until(lambda: bool(seen(sandbox)["data"][0]["client_left"]))


def test_a_cancel_closes_the_connection_and_the_job_says_what_it_may_have_cost(
    worker: Running, sandbox: str, store_client: redis.Redis
) -> None:
    (number,) = submit(store_client, 1, fault="hang")
    wait_until(lambda: seen(sandbox)["in_flight"] == 1)
    JobStore(store_client, max_queued_bytes=1).cancel(number, project=None)
    wait_until(lambda: bool(seen(sandbox)["data"][0]["client_left"]))
    job = one(store_client, number)
    assert job.status == "cancelled"
    assert job.attempts[0]["may_be_billed"]
    wait_until(lambda: store_client.scard(keys.lane_slots(LANE)) == 0)


def test_a_streamed_job_keeps_the_last_state(worker: Running, sandbox: str, store_client: redis.Redis) -> None:
    body = json.dumps({"model": MODEL, "input": "hello", "stream": True}).encode()
    number = JobStore(store_client, max_queued_bytes=10**9).submit(new_job(body=body), unique()).number
    (job,) = wait_for_ends(store_client, [number])
    assert job.status == "completed"
    assert job.response is not None
    assert job.response["output"][-1]["content"][0]["text"]
    assert job.usage == job.response["usage"]
    assert seen(sandbox)["data"][0]["stream"] is True


def test_a_lost_message_is_found_missing(
    store_client: redis.Redis, redis_url: str, tmp_path: Path, sandbox: str
) -> None:
    """A worker that lives for the dispatcher but never takes its message: another one does the work."""
    idle = Workers(store_client)
    idle.beat("idle", slots=5, about={"host": "here", "pid": 0, "started_at": 0.0})
    (number,) = submit(store_client, 1)
    assert Lanes(store_client, Limits()).dispatch("idle").released == 1
    assert store_client.delete(keys.worker_queue("idle")) == 1
    store_client.delete("{respool}:leader")
    store_client.zadd(keys.PREFIX + "dispatched", {number: 1})  # the deadline of the claim passes
    with running_workers(1, tmp_path, redis_url, sandbox):
        (job,) = wait_for_ends(store_client, [number])
    assert (job.status, len(job.attempts)) == ("completed", 1)


def test_a_worker_that_is_told_to_stop_ends_its_calls_and_takes_nothing_new(
    worker: Running, sandbox: str, store_client: redis.Redis
) -> None:
    running = submit(store_client, 5, fault="delay=1.5")
    wait_until(lambda: seen(sandbox)["in_flight"] == 5)
    worker.process.terminate()
    wait_until(lambda: store_client.zcard(keys.WORKERS) == 0 or _slots(store_client) == {b"0"})
    later = submit(store_client, 5)
    assert worker.process.wait(timeout=30) == 0
    assert {job.status for job in jobs_of(store_client, running)} == {"completed"}
    assert {(job.status, len(job.attempts)) for job in jobs_of(store_client, later)} == {("queued", 0)}
    assert store_client.zcard(keys.WORKERS) == 0
    assert seen(sandbox)["total"] == 5


def _slots(client: redis.Redis) -> set[bytes]:
    return {client.hget(keys.worker(name.decode()), "slots") or b"0" for name in client.zrange(keys.WORKERS, 0, -1)}


def test_what_cannot_end_in_the_grace_period_goes_to_another_worker(
    store_client: redis.Redis, redis_url: str, tmp_path: Path, sandbox: str
) -> None:
    with running_workers(1, tmp_path, redis_url, sandbox, grace_seconds="0") as (first,):
        retried = submit(store_client, 1, fault="hang;times=1")
        failed = submit(store_client, 1, fault="hang;times=1", on_unknown="fail")
        wait_until(lambda: seen(sandbox)["in_flight"] == 2)
        assert first.stop() == 0
    wait_until(lambda: seen(sandbox)["in_flight"] == 0)
    assert all(call["client_left"] for call in seen(sandbox)["data"])
    with running_workers(1, tmp_path, redis_url, sandbox):
        again, given_up = wait_for_ends(store_client, [*retried, *failed])
    assert (again.status, outcomes(again)) == ("completed", ["lost", "completed"])
    assert again.attempts[0]["may_be_billed"]
    assert given_up.error is not None
    assert (given_up.status, given_up.error["code"]) == ("failed", "outcome_unknown")


def test_a_killed_workers_calls_are_made_again_by_another(
    store_client: redis.Redis, redis_url: str, tmp_path: Path, sandbox: str
) -> None:
    with running_workers(2, tmp_path, redis_url, sandbox, slots="10") as (doomed, _):
        numbers = submit(store_client, 20, fault="delay=1")
        wait_until(lambda: seen(sandbox)["in_flight"] == 20)
        doomed.kill()
        jobs = wait_for_ends(store_client, numbers)
    assert {job.status for job in jobs} == {"completed"}
    lost = [job for job in jobs if outcomes(job)[0] == "lost"]
    assert len(lost) == 10
    calls = requests.get(f"{sandbox}/sandbox/keys", timeout=10).json()
    assert calls == {job.id: len(job.attempts) for job in jobs}


def test_a_pickled_message_is_refused_and_the_worker_lives(
    worker: Running, sandbox: str, store_client: redis.Redis, tmp_path: Path
) -> None:
    mark = tmp_path / "unpickled"

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str, str]]:
            return open, (str(mark), "w")

    (name,) = [name.decode() for name in store_client.zrange(keys.WORKERS, 0, -1)]
    for data, kind in [(pickle.dumps(Evil()), "application/x-python-serialize"), (b"\x00nonsense", "application/json")]:
        properties = {"delivery_tag": "t", "body_encoding": "base64", "delivery_mode": 2, "priority": 0}
        message = {
            "body": base64.b64encode(data).decode(), "content-type": kind, "content-encoding": "binary",
            "headers": {"task": "respool.run", "id": "x", "lang": "py"},
            "properties": properties | {"delivery_info": {"exchange": "", "routing_key": keys.worker_queue(name)}},
        }  # fmt: skip
        store_client.lpush(keys.worker_queue(name), json.dumps(message))
    (job,) = wait_for_ends(store_client, submit(store_client, 1))
    assert job.status == "completed"
    assert not mark.exists()
    assert worker.process.poll() is None


def test_jobs_end_once_although_redis_is_restarted_under_the_worker(tmp_path: Path, sandbox: str) -> None:
    folder = tmp_path / "redis"
    folder.mkdir()
    with running_redis(folder, *KEEPING) as server:
        client = connect(server.url)
        with running_workers(1, tmp_path, server.url, sandbox, slots="20"):
            numbers = submit(client, 40, fault="delay=0.5")
            wait_until(lambda: seen(sandbox)["in_flight"] == 20)
            server.kill()
            wait_until(lambda: seen(sandbox)["in_flight"] == 0)
            server.start()
            jobs = wait_for_ends(client, numbers)
        client.close()
    assert {job.status for job in jobs} == {"completed"}
    assert requests.get(f"{sandbox}/sandbox/keys?at_least=2", timeout=10).json() == {}
