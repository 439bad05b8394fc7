import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jobs import keys
from jobs.connection import connect
from jobs.endings import Endings
from tests.fakes.bench import ANSWERED, COMPLETED, Bench
from tests.fakes.redis_server import running_redis
from tests.fakes.waiting import wait_until


@pytest.fixture
def endings(bench: Bench) -> Endings:
    return Endings(bench.client)


@pytest.mark.parametrize("way", ["finish", "cancel", "expire"])
def test_every_way_to_end_wakes_those_who_wait(bench: Bench, endings: Endings, way: str) -> None:
    claim = bench.run_one()
    number = bench.submit(queue_deadline_seconds=60.0) if way == "expire" else claim.number
    with endings.watched(number) as wait:
        if way == "finish":
            bench.runs().finish(claim, COMPLETED, ANSWERED)
        elif way == "cancel":
            bench.store.cancel(number, project=None)
        else:
            bench.make_due("deadlines")
            bench.sweep()
        assert wait(20)


def test_nobody_waits_any_longer_once_the_process_is_to_stop(endings: Endings) -> None:
    with endings.watched("none") as wait, ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(wait, 60.0)
        endings.close()
        assert waiting.result(20)
        assert endings.closed


def test_the_first_who_waits_is_not_woken_by_the_subscription_itself(bench: Bench) -> None:
    for _ in range(5):
        with Endings(bench.client).watched("none") as wait:
            assert not wait(0.01)


def test_the_end_of_one_job_wakes_nobody_else(bench: Bench, endings: Endings) -> None:
    mine, other = bench.submit(), bench.submit()
    with endings.watched(mine) as wait, endings.watched(other) as wait_for_other:
        bench.store.cancel(other, project=None)
        assert wait_for_other(20)
        assert not wait(0)


def test_many_wait_on_one_subscription_and_none_is_remembered_after(tmp_path: Path) -> None:
    with running_redis(tmp_path) as server, connect(server.url) as client, ThreadPoolExecutor(40) as threads:
        endings, ready = Endings(client), threading.Barrier(41)

        def stand(number: str) -> bool:
            with endings.watched(number) as wait:
                ready.wait(20)
                return wait(20)

        waits = [threads.submit(stand, f"{number % 10}") for number in range(40)]
        ready.wait(20)
        subscriptions = client.pubsub_numsub(keys.ENDED_CHANNEL)[0][1]
        for number in range(10):
            client.publish(keys.ENDED_CHANNEL, f"{number}")
        assert all(wait.result() for wait in waits)
        assert subscriptions == 1
        assert endings._waiting == {}


def test_a_message_that_cannot_be_read_ends_no_subscription(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with running_redis(tmp_path) as server, connect(server.url) as client, Endings(client).watched("n") as wait:
        client.publish(keys.ENDED_CHANNEL, b"\xff")
        assert wait(20), "an end may have been missed while there was no subscription"
        client.publish(keys.ENDED_CHANNEL, "n")
        assert wait(20)
    assert "subscribing again" in caplog.text


def test_after_a_restart_of_redis_everybody_looks_again_and_is_woken_again(tmp_path: Path) -> None:
    with running_redis(tmp_path) as server, connect(server.url) as client:
        endings = Endings(client)
        with endings.watched("n") as wait:
            server.kill()
            server.start()
            assert wait(20), "an end may have been missed while there was no subscription"
            wait_until(lambda: client.pubsub_numsub(keys.ENDED_CHANNEL)[0][1] == 1)
            client.publish(keys.ENDED_CHANNEL, "n")
            assert wait(20)
