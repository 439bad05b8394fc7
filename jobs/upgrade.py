"""Brings a store that an older release has filled to the layout of this one."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

import redis

from jobs import keys, scripts

LAYOUT = 2
PAGE = 250
_LEFT_BEHIND = ("lane_queue:*", "lane_projects:*")


def upgrade(client: redis.Redis) -> int:
    """How many jobs were taken over; 0 at once for a store of this layout. Several processes may do it at a time.

    What workers of the older release run still is theirs to end. Raises StoreUnavailable.
    """
    with scripts.translated():
        if int(client.hget(keys.COUNTERS, "layout") or 1) >= LAYOUT:
            return 0
        adopted = sum(_adopt(client, page) for page in _pages(client, keys.job("*")))
        for pattern in _LEFT_BEHIND:
            for page in _pages(client, keys.PREFIX + pattern):
                client.unlink(*page)
        client.hset(keys.COUNTERS, "layout", LAYOUT)
    return adopted


def _adopt(client: redis.Redis, page: list[str]) -> int:
    numbers = [key.removeprefix(keys.job("")) for key in page]
    return int(scripts.run(client, scripts.Call(name="adopt", args=numbers)))


def _pages(client: redis.Redis, pattern: str) -> Iterable[list[str]]:
    found = (key.decode() for key in client.scan_iter(match=pattern, count=1000))
    while page := list(islice(found, PAGE)):
        yield page
