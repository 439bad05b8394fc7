from typing import Any

import pytest
import redis

from jobs.connection import connect
from jobs.vault import Vault
from jobs.webhooks.secrets import ProjectSecrets
from jobs.webhooks.senders import LiveSender, Senders
from jobs.workers import LiveWorker, Workers
from respool.redis_findings import of_crew, of_keeping, of_redis, of_server, of_workers
from tests.fakes.redis_server import free_port

GOOD: dict[str, Any] = {
    "redis_version": "7.2.4", "role": "master", "cluster_enabled": 0, "connected_slaves": 0, "aof_enabled": 1,
    "aof_last_write_status": "ok", "maxmemory_policy": "noeviction", "maxmemory": 0, "used_memory": 5,
}  # fmt: skip
ABOUT = {"host": "h", "pid": 1, "started_at": 0.0}


def secrets_under(client: redis.Redis, *secrets: str) -> ProjectSecrets:
    """Those of a service with this RESPOOL_SECRET and these of before."""
    return ProjectSecrets(client, Vault(client, secret=secrets[0], older=secrets[1:]))


def test_a_server_that_is_set_up_right_is_fine() -> None:
    assert {found.level for found in of_server(GOOD, durability="everysec")} == {"ok"}


@pytest.mark.parametrize(
    ("changes", "durability", "subject", "level"),
    [
        ({"redis_version": "6.2.14"}, "everysec", "redis version", "fail"),
        ({"redis_version": "7.0.1"}, "fsync", "redis version", "fail"),
        ({"role": "slave"}, "everysec", "redis role", "fail"),
        ({"cluster_enabled": 1}, "everysec", "redis role", "fail"),
        ({}, "replica", "replicas", "fail"),
        ({"aof_enabled": 0}, "everysec", "persistence", "fail"),
        ({"aof_last_write_status": "err"}, "everysec", "persistence", "fail"),
        ({"maxmemory_policy": "allkeys-lru"}, "everysec", "maxmemory policy", "fail"),
        ({"maxmemory": 5}, "everysec", "memory", "warn"),
    ],
)
def test_each_fault_is_found_and_something_to_do_said(
    changes: dict[str, Any], durability: Any, subject: str, level: str
) -> None:
    (found,) = [one for one in of_server(GOOD | changes, durability=durability) if one.level != "ok"]
    assert (found.subject, found.level) == (subject, level)
    assert found.advice


def test_a_server_that_says_little_is_a_doubt_and_no_fault() -> None:
    assert {found.level for found in of_server({"redis_version": "7.2.4"}, durability="everysec")} == {"ok", "warn"}


def test_the_live_server_is_looked_at_and_misses_its_workers(store_client: redis.Redis) -> None:
    found = {
        one.subject: one.level
        for one in of_redis(store_client, durability="everysec", secrets=secrets_under(store_client, ""))
    }
    assert found["redis version"] == found["redis clock"] == "ok"
    assert (found["workers"], found["senders"]) == ("fail", "warn")


def test_workers_and_senders_that_live_are_counted(store_client: redis.Redis) -> None:
    Workers(store_client).beat("w", slots=5, about=ABOUT)
    Senders(store_client).beat("s", slots=5, about=ABOUT)
    found = {
        one.subject: one
        for one in of_redis(store_client, durability="everysec", secrets=secrets_under(store_client, ""))
    }
    assert found["workers"].told == "1 live, 0 of 5 slots taken"
    assert found["senders"].level == "ok"


def test_a_server_that_is_away_is_one_fault() -> None:
    with connect(f"redis://127.0.0.1:{free_port()}/0") as client:
        (found,) = of_redis(client, durability="everysec", secrets=secrets_under(client, ""))
    assert (found.subject, found.level) == ("redis", "fail")


@pytest.mark.parametrize(("live", "slots", "jobs", "level"), [(0, 0, 0, "fail"), (1, 10, 3, "ok"), (2, 10, 10, "warn")])
def test_workers_are_judged_by_the_room_they_have(live: int, slots: int, jobs: int, level: str) -> None:
    assert of_workers(live=live, slots=slots, jobs=jobs).level == level


@pytest.mark.parametrize(
    ("kept", "level"),
    [
        ({"appendonly": True, "maxmemory_policy": "noeviction"}, "ok"),
        ({"appendonly": False, "maxmemory_policy": "noeviction"}, "fail"),
        ({"appendonly": True, "maxmemory_policy": "volatile-ttl"}, "fail"),
        (None, "warn"),
        ({"something": "else"}, "warn"),
    ],
)
def test_what_a_service_tells_of_its_redis_is_judged(kept: Any, level: str) -> None:
    assert of_keeping(kept).level == level


def test_a_process_that_takes_nothing_up_is_named() -> None:
    lives = {"id": "w-1", "slots": 5, "stalled": True, "lease_seconds": 5.0, "host": "h", "pid": 7, "started_at": 0.0}
    found = {one.subject: one for one in of_crew([LiveWorker(jobs=0, **lives)], [LiveSender(deliveries=0, **lives)])}
    assert (found["worker w-1"].level, found["sender w-1"].level) == ("fail", "fail")
    assert "process 7 on h" in found["worker w-1"].told


@pytest.mark.parametrize(("known", "level"), [(["pepper"], "ok"), (["another"], "fail"), (["another", "pepper"], "ok")])
def test_secrets_that_another_respool_secret_sealed_are_told(
    known: list[str], level: str, store_client: redis.Redis
) -> None:
    secrets_under(store_client, "pepper").make("film")
    secrets = secrets_under(store_client, *known)
    found = {one.subject: one for one in of_redis(store_client, durability="everysec", secrets=secrets)}
    assert found["signing secrets"].level == level
    assert ("film" in found["signing secrets"].told) is (level == "fail")
