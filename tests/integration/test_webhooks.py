"""How a job's end reaches its receiver, whatever happens on the way; sender and worker are real processes."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis

from jobs import keys
from jobs.vault import Vault
from jobs.webhooks.secrets import new_secret
from jobs.webhooks.target import Webhook
from tests.fakes.processes import Running, start_sender
from tests.fakes.receiver import Received, Receiver, Reply, running_receiver
from tests.fakes.sandbox_server import running_sandbox
from tests.fakes.service import running_workers, submit, wait_for_ends
from tests.fakes.waiting import wait_until
from worker.webhooks.signing import signed_headers

SECRET = new_secret()

StartSender = Callable[..., Running]


@pytest.fixture
def sandbox() -> Iterator[str]:
    with running_sandbox() as base:
        yield base


@pytest.fixture
def worker(sandbox: str, redis_url: str, tmp_path: Path) -> Iterator[Running]:
    with running_workers(1, tmp_path, redis_url, sandbox) as (running,):
        yield running


@pytest.fixture
def start(redis_url: str, tmp_path: Path) -> Iterator[StartSender]:
    """Starts senders that may reach loopback; `settings` are names in lower case without their prefix."""
    with ExitStack() as stack:

        def start_one(name: str = "sender", **settings: str) -> Running:
            given = {"redis_url": redis_url, "webhook_allow": "127.0.0.0/8", "webhook_secret": SECRET} | settings
            environ = {f"RESPOOL_{key.upper()}": value for key, value in given.items()}
            running = start_sender(tmp_path, environ, name=name)
            stack.callback(running.kill)
            return running

        yield start_one


def to(receiver: Receiver, **changes: Any) -> Webhook:
    return Webhook(**{"url": f"{receiver.url}/in", "origin": receiver.url} | changes)


def deliveries(client: redis.Redis, number: str) -> list[dict[str, str]]:
    """The deliveries that the job's events owe."""
    found = [client.hgetall(keys.delivery(d.decode())) for d in client.smembers(keys.job_deliveries(number))]
    return [{name.decode(): value.decode() for name, value in delivery.items()} for delivery in found]


def delivered(client: redis.Redis, number: str) -> bool:
    return {delivery["status"] for delivery in deliveries(client, number)} == {"delivered"}


def verifies(received: Received, secret: str) -> bool:
    timestamp = int(received.headers["webhook-timestamp"])
    made = signed_headers(received.headers["webhook-id"], received.body, secrets=[secret], timestamp=timestamp)
    return made["webhook-signature"] in received.headers["webhook-signature"].split()


def test_the_end_of_a_job_arrives_as_a_signed_event(
    worker: Running, start: StartSender, store_client: redis.Redis
) -> None:
    start()
    with running_receiver() as receiver:
        (number,) = submit(store_client, 1, webhook=to(receiver))
        (job,) = wait_for_ends(store_client, [number])
        wait_until(lambda: delivered(store_client, number))
    (received,) = receiver.requests
    assert verifies(received, SECRET)
    event = json.loads(received.body)
    assert (event["object"], event["type"], event["data"]["id"]) == ("event", "response.completed", f"resp_{number}")
    assert event["id"] == received.headers["webhook-id"]
    assert event["data"]["respool"]["job_id"] == job.id
    assert event["data"]["respool"]["usage"] == job.usage
    assert "response" not in event["data"]


def test_the_response_comes_with_it_where_that_is_asked_for_under_a_secret_of_its_own(
    worker: Running, start: StartSender, store_client: redis.Redis
) -> None:
    start(secret="the service's")
    own = new_secret()
    sealed = Vault(store_client, secret="the service's").seal(own)
    with running_receiver() as receiver:
        (number,) = submit(store_client, 1, webhook=to(receiver, include="response", secret=sealed))
        (job,) = wait_for_ends(store_client, [number])
        wait_until(lambda: delivered(store_client, number))
    (received,) = receiver.requests
    assert verifies(received, own)
    assert not verifies(received, SECRET)
    assert json.loads(received.body)["data"]["response"] == job.response


def test_what_fails_twice_is_sent_a_third_time_with_the_same_id_and_a_new_time(
    worker: Running, start: StartSender, store_client: redis.Redis
) -> None:
    start(webhook_schedule="0,1.5,0.1")
    replies = iter([Reply(status=500), Reply(status=500), Reply(status=200)])
    with running_receiver(lambda _: next(replies)) as receiver:
        (number,) = submit(store_client, 1, webhook=to(receiver))
        wait_until(lambda: delivered(store_client, number))
    assert len({received.headers["webhook-id"] for received in receiver.requests}) == 1
    assert len({received.body for received in receiver.requests}) == 1
    first, second, third = receiver.requests
    assert second.at - first.at >= 1.2
    assert third.at > second.at
    assert int(second.headers["webhook-timestamp"]) > int(first.headers["webhook-timestamp"])
    assert all(verifies(received, SECRET) for received in receiver.requests)


def test_what_a_killed_sender_had_under_way_is_delivered_by_another(
    worker: Running, start: StartSender, store_client: redis.Redis
) -> None:
    doomed = start("doomed")
    replies = iter([Reply(behaviour="hang")])
    with running_receiver(lambda _: next(replies, Reply())) as receiver:
        (number,) = submit(store_client, 1, webhook=to(receiver))
        wait_until(lambda: len(receiver.requests) == 1)
        doomed.kill()
        start("heir")
        wait_until(lambda: delivered(store_client, number))
    first, second = receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    (delivery,) = deliveries(store_client, number)
    assert delivery["lost"] == "1"


def test_a_sender_that_is_told_to_stop_hangs_up_on_slow_receivers_and_spends_none_of_their_attempts(
    worker: Running, start: StartSender, store_client: redis.Redis
) -> None:
    stopped = start("stopped", grace_seconds="0")
    replies = iter([Reply(behaviour="hang")])
    with running_receiver(lambda _: next(replies, Reply())) as receiver:
        (number,) = submit(store_client, 1, webhook=to(receiver))
        wait_until(lambda: len(receiver.requests) == 1)
        assert stopped.stop() == 0
        (delivery,) = deliveries(store_client, number)
        assert (delivery["status"], delivery.get("step", "0"), delivery["error"]) == ("retrying", "0", "stopping")
        start("next", webhook_schedule="0")
        wait_until(lambda: delivered(store_client, number))


def test_receivers_that_hang_hold_up_no_job_and_no_other_receiver(
    worker: Running, start: StartSender, store_client: redis.Redis
) -> None:
    start(webhook_slots="20")
    with running_receiver(Reply(behaviour="hang")) as slow, running_receiver() as quick:
        hanging = submit(store_client, 40, webhook=to(slow))
        assert {job.status for job in wait_for_ends(store_client, hanging)} == {"completed"}
        wait_until(lambda: len(slow.requests) > 0)
        numbers = submit(store_client, 20, webhook=to(quick))
        assert {job.status for job in wait_for_ends(store_client, numbers, seconds=10)} == {"completed"}
        wait_until(lambda: all(delivered(store_client, number) for number in numbers), seconds=10)
        assert not any(delivered(store_client, number) for number in hanging)
        assert len(slow.requests) < 20


def test_without_a_sender_jobs_end_as_ever_and_what_is_owed_waits(
    worker: Running, start: StartSender, store_client: redis.Redis
) -> None:
    with running_receiver() as receiver:
        numbers = submit(store_client, 5, webhook=to(receiver))
        wait_for_ends(store_client, numbers)
        assert receiver.connections == 0
        start()
        wait_until(lambda: all(delivered(store_client, number) for number in numbers))
    assert len(receiver.requests) == 5
