from pathlib import Path

import pytest
import redis

from jobs.connection import connect
from jobs.errors import StoreUnavailable
from tests.fakes.redis_server import running_redis
from worker.wakes import GATHER_SECONDS, STAND_BY_SECONDS, Wakes

CHANNEL = "{respool}:test_wakes"


def listeners(client: redis.Redis) -> int:
    ((_, count),) = client.pubsub_numsub(CHANNEL)
    return int(count)


def test_who_does_not_lead_stands_by_and_listens_to_nothing(store_client: redis.Redis) -> None:
    wakes = Wakes(store_client, channel=CHANNEL)
    assert wakes.follow(leads=False, wake_seconds=None) == STAND_BY_SECONDS
    assert listeners(store_client) == 0


def test_who_leads_listens_and_looks_again_at_once_until_the_lead_is_lost(store_client: redis.Redis) -> None:
    wakes = Wakes(store_client, channel=CHANNEL)
    assert wakes.follow(leads=True, wake_seconds=None) == 0
    assert listeners(store_client) == 1
    assert wakes.follow(leads=False, wake_seconds=None) == STAND_BY_SECONDS
    assert wakes.heard is None


def test_a_wait_ends_with_a_wake(store_client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.wakes.LONGEST_SECONDS", 1000.0)
    wakes = Wakes(store_client, channel=CHANNEL)
    for _ in range(2):  # subscribes, hears of that
        wakes.follow(leads=True, wake_seconds=None)
    store_client.publish(CHANNEL, "")
    assert wakes.follow(leads=True, wake_seconds=None) == 0
    wakes.close()


def test_a_wait_ends_when_the_next_look_is_due(store_client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.wakes.LONGEST_SECONDS", 1000.0)
    wakes = Wakes(store_client, channel=CHANNEL)
    for _ in range(2):
        wakes.follow(leads=True, wake_seconds=None)
    assert wakes.follow(leads=True, wake_seconds=0.01) == 0
    assert wakes.follow(leads=True, wake_seconds=0) == 0
    wakes.close()


def test_wakes_that_come_together_share_a_look_and_the_first_after_a_calm_time_is_heard_at_once(
    store_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.wakes.LONGEST_SECONDS", 1000.0)
    slept: list[float] = []
    wakes = Wakes(store_client, channel=CHANNEL)
    for _ in range(2):
        wakes.follow(leads=True, wake_seconds=None)
    monkeypatch.setattr("worker.wakes.time.sleep", slept.append)
    monkeypatch.setattr("worker.wakes.time.monotonic", lambda: 1e9)
    for _ in range(2):
        store_client.publish(CHANNEL, "")
        wakes.follow(leads=True, wake_seconds=None)
    assert slept == [0, pytest.approx(GATHER_SECONDS)]
    wakes.close()


def test_a_look_that_is_due_is_not_put_off_for_wakes_to_come(
    store_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    wakes = Wakes(store_client, channel=CHANNEL)
    for _ in range(2):
        wakes.follow(leads=True, wake_seconds=None)
    monkeypatch.setattr("worker.wakes.time.sleep", slept.append)
    monkeypatch.setattr("worker.wakes.time.monotonic", lambda: 1e9)
    for _ in range(2):
        wakes.follow(leads=True, wake_seconds=0.001)
    assert slept == [0, pytest.approx(0.001, abs=1e-5)]
    wakes.close()


def test_a_lost_redis_is_told_of_and_listened_to_again_when_it_is_back(tmp_path: Path) -> None:
    with running_redis(tmp_path) as server, connect(server.url) as client:
        wakes = Wakes(client, channel=CHANNEL)
        for _ in range(2):
            wakes.follow(leads=True, wake_seconds=None)
        server.kill()
        with pytest.raises(StoreUnavailable):
            wakes.follow(leads=True, wake_seconds=None)
        assert wakes.heard is None
        server.start()
        wakes.follow(leads=True, wake_seconds=None)
        assert listeners(client) == 1
        wakes.close()
