"""Which keys outlive the jobs that they are of, and why: docs/redis-keys.md says until when."""

from collections.abc import Collection, Sequence
from typing import Any

import redis

from jobs import keys

STAYS = {
    "idempotency": "a key names its job for 24 h",
    "repeat": "a submit that an SDK repeats is known for 15 min",
    "events": "the feed is kept for an hour beyond the retention",
    "job_deliveries": "a delivery's schedule may take two weeks",
    "project_deliveries": "the same",
    "endpoint_deliveries": "the same",
    "origin": "a day: how the receiver did",
    "batch": "30 days",
    "batches": "as the batches in it",
    "batches_open": "the same: when their records go",
    "batch_refusals": "the same",
    "usage": "400 days, one for each project and day",
    "series": "figures over time, one for each project and minute, or hour",
    "spent": "a month, for budgets",
    "metrics": "for ever: one hash",
    "metric_lanes": "for ever: one set",
    "projects": "for ever: one set",
    "project": "for ever, one for each project",
    "lane": "a day, one for each lane",
    "lane_runs": "the same",
    "lane_starts": "2 min, the same",
    "lane_changes": "a day, one list",
    "lanes": "a day, one set",
    "backlog": "a day, one for each backlog",
}


def kind_of(key: bytes) -> str:
    return key.decode().removeprefix(keys.PREFIX).partition(":")[0]


def kept_keys(client: redis.Redis) -> list[bytes]:
    return [key for key in client.scan_iter(count=1000) if kind_of(key) in STAYS]


def kept_bytes(client: redis.Redis, kept: Collection[bytes]) -> int:
    """What they take."""
    with client.pipeline(transaction=False) as pipeline:
        for key in kept:
            pipeline.memory_usage(key)
        sizes: Sequence[Any] = pipeline.execute()
    return sum(size or 0 for size in sizes)


def leftovers(client: redis.Redis, *, before: Collection[bytes], going_seconds: float) -> list[str]:
    """Keys that were not there before, that do not stay, and that do not expire within `going_seconds`."""
    found = []
    for key in client.scan_iter(count=1000):
        if kind_of(key) not in STAYS and key not in before and not 0 <= client.pttl(key) <= going_seconds * 1000:
            found.append(key.decode())
    return sorted(key for key in found if client.exists(key))
