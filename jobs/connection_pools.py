"""Pools that close what a crowd has left behind: redis-py keeps every connection that was ever needed at once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from typing import Any

import redis
from redis.sentinel import SentinelConnectionPool

IDLE_SECONDS = 30.0
"""After which a connection that nobody has taken is closed."""

KEPT_IDLE = 32
"""Connections, those that were used last, stay open however long nobody takes them."""

LOOK_SECONDS = 1.0
MOST_CLOSED = 64
"""At a look, so that whoever it falls to is not held up."""


class _Shrinking:
    """Looks, as connections come back to it, for others that nobody takes."""

    _looked_at = 0.0

    def release(self, connection: Any) -> None:
        now = time.monotonic()
        connection.idle_since = now
        super().release(connection)  # type: ignore[misc]  # of the pool beside it
        if now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            self._close_idle(before=now - IDLE_SECONDS)

    def _close_idle(self, *, before: float) -> None:
        raise NotImplementedError


class BlockingPool(_Shrinking, redis.BlockingConnectionPool):
    """One whose callers wait for a connection where all are taken."""

    def _close_idle(self, *, before: float) -> None:
        pool, closed = self.pool, []
        with getattr(pool, "mutex", nullcontext()):  # gevent's queue has none: there, nobody else runs in between
            for place in idle_places(pool.queue, before=before):
                closed.append(pool.queue[place])
                pool.queue[place] = None  # its own word for a connection that is yet to be made
        for connection in closed:
            with suppress(ValueError):  # they were all forgotten meanwhile
                self._connections.remove(connection)
            connection.disconnect()


class SentinelPool(_Shrinking, SentinelConnectionPool):
    """One of connections to the master that a sentinel names."""

    def _close_idle(self, *, before: float) -> None:
        with self._lock:
            for place in idle_places(self._available_connections, before=before):
                self._available_connections[place].disconnect()  # whoever takes it has it connect again


def idle_places(waiting: Sequence[Any], *, before: float) -> list[int]:
    """Where open connections stand that came back earlier than that, MOST_CLOSED at most.

    `waiting` holds connections in the order in which they came back, the last to be taken first; None is none.
    """
    places: list[int] = []
    for place in range(len(waiting) - KEPT_IDLE):
        connection = waiting[place]
        if connection is None or not connection.is_connected:
            continue
        if connection.idle_since >= before or len(places) == MOST_CLOSED:
            break
        places.append(place)
    return places
