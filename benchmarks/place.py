"""Where one measurement is made: a Redis of its own that syncs every second, and an endpoint of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

from benchmarks.upstream import Upstream, running_upstream
from tests.fakes.redis_server import running_redis

EVERYSEC = ("--appendonly", "yes", "--appendfsync", "everysec", "--hash-max-listpack-value", "4096")
"""As docker-compose.yml runs it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    folder: Path
    redis_url: str
    redis_pid: int
    upstream: Upstream
    client: redis.Redis


@contextmanager
def place(*endpoint_options: str) -> Iterator[Place]:
    """Nothing of an earlier measurement is left in it."""
    with (
        tempfile.TemporaryDirectory(prefix="respool-bench-") as name,
        running_redis(Path(name), *EVERYSEC) as server,
        running_upstream(*endpoint_options) as upstream,
        redis.Redis.from_url(server.url) as client,
    ):
        assert server.process is not None
        yield Place(
            folder=Path(name), redis_url=server.url, redis_pid=server.process.pid, upstream=upstream, client=client
        )
