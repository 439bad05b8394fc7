"""Jobs through a real worker process: Celery's consumer, the endpoint client and the store together."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from jobs import keys
from jobs.record import Job
from jobs.store import JobStore
from tests.fakes.processes import Running
from tests.fakes.sandbox_server import running_sandbox
from tests.fakes.service import running_workers, seen, submit, wait_for_ends
from tests.fakes.waiting import wait_until


@contextmanager
def served(folder: Path, redis_url: str, **settings: str) -> Iterator[tuple[str, Running]]:
    """A sandbox and one worker process that calls it."""
    with running_sandbox() as sandbox, running_workers(1, folder, redis_url, sandbox, **settings) as (worker,):
        yield sandbox, worker


def store_of(client: redis.Redis) -> JobStore:
    return JobStore(client, max_queued_bytes=10**9)


def job(client: redis.Redis, number: str) -> Job:
    return store_of(client).get(number, project=None)


def held(client: redis.Redis) -> set[bytes]:
    """What is left of jobs under way."""
    return {
        key
        for key in client.scan_iter(count=1000)
        if any(kind in key for kind in (b":lane_slots:", b":worker_jobs:", b":dispatched", b":delayed"))
    }


def test_a_hundred_jobs_are_called_once_each_and_nothing_is_held_afterwards(
    store_client: redis.Redis, redis_url: str, tmp_path: Path
) -> None:
    with served(tmp_path, redis_url, slots="20") as (sandbox, _):
        ended = wait_for_ends(store_client, submit(store_client, 100))
        assert Counter(found.status for found in ended) == {"completed": 100}
        assert seen(sandbox)["total"] == 100
        for found in ended:
            (attempt,) = found.attempts
            assert (attempt["outcome"], attempt["delivery"]) == ("completed", "answered")
            assert found.response is not None
            assert found.response["id"] == found.response_id
        wait_until(lambda: held(store_client) == set())
        assert store_client.hget(keys.COUNTERS, "queued_bytes") == b"0"


def test_a_doubled_message_makes_no_second_call(store_client: redis.Redis, redis_url: str, tmp_path: Path) -> None:
    with served(tmp_path, redis_url) as (sandbox, _):
        (number,) = submit(store_client, 1, fault="delay=1")
        wait_until(lambda: job(store_client, number).status == "in_progress")
        worker, dispatch = store_client.hmget(keys.job(number), "worker", "dispatch")
        queue = keys.worker_queue(worker.decode())
        body = json.dumps([[[number], int(dispatch)], {}, {}])
        properties = {"correlation_id": "again", "delivery_mode": 2, "delivery_tag": "again", "priority": 0,
                      "delivery_info": {"exchange": "", "routing_key": queue}}  # fmt: skip
        headers = {"lang": "py", "task": "respool.run", "id": "again", "root_id": "again", "parent_id": None}
        message = {"body": body, "content-encoding": "utf-8", "content-type": "application/json", "headers": headers,
                   "properties": properties}  # fmt: skip
        store_client.lpush(queue, json.dumps(message))
        (found,) = wait_for_ends(store_client, [number])
        wait_until(lambda: store_client.llen(queue) == 0)
        assert (found.status, len(found.attempts), seen(sandbox)["total"]) == ("completed", 1, 1)


def test_a_cancelled_call_is_hung_up_and_its_slot_serves_the_next(
    store_client: redis.Redis, redis_url: str, tmp_path: Path
) -> None:
    with served(tmp_path, redis_url, slots="1") as (_, _worker):
        (first,) = submit(store_client, 1, fault="hang")
        wait_until(lambda: store_client.hexists(keys.job(first), "sent"))
        (second,) = submit(store_client, 1)
        cancelled = store_of(store_client).cancel(first, project=None)
        assert (cancelled.status, cancelled.attempts[0]["may_be_billed"]) == ("cancelled", True)
        (found,) = wait_for_ends(store_client, [second])
        assert found.status == "completed"
        assert job(store_client, first).status == "cancelled"


@pytest.mark.parametrize(("policy", "status"), [("fail", "failed"), ("retry", "queued")])
def test_a_worker_that_stops_hands_back_by_policy_what_it_cannot_end(
    policy: str, status: str, store_client: redis.Redis, redis_url: str, tmp_path: Path
) -> None:
    with served(tmp_path, redis_url, grace_seconds="0.5", on_unknown=policy) as (_, worker):
        (number,) = submit(store_client, 1, fault="hang", on_unknown=policy)
        wait_until(lambda: store_client.hexists(keys.job(number), "sent"))
        worker.stop()
        found = job(store_client, number)
        assert found.status == status
        assert (found.attempts[0]["outcome"], found.attempts[0]["may_be_billed"]) == ("lost", True)
        assert held(store_client) == set()
