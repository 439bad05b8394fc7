"""The idle connections to all receivers."""

from __future__ import annotations

import queue
import threading
from collections import OrderedDict, deque
from time import monotonic

from worker import session
from worker.session import WatchedConnection


class Idle:
    """Those of all pools: `most` of them at a time, each for MOST_IDLE_SECONDS as long as someone tidies."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._places: OrderedDict[WatchedConnection, Resting] = OrderedDict()

    def __len__(self) -> int:
        return len(self._places)

    def keep(self, connection: WatchedConnection, *, place: Resting) -> None:
        with self._lock:
            place.connections.append(connection)
            self._places[connection] = place
        self.tidy()

    def take(self, place: Resting) -> WatchedConnection | None:
        """The one that came to rest there last."""
        with self._lock:
            if not place.connections:
                return None
            connection = place.connections.pop()
            del self._places[connection]
            return connection

    def tidy(self) -> None:
        """Closes those that rested too long, and the oldest of those that are too many."""
        self._close(since=monotonic() - session.MOST_IDLE_SECONDS, most=self._most)

    def clear(self) -> None:
        self._close(since=monotonic(), most=0)

    def _close(self, *, since: float, most: int) -> None:
        with self._lock:
            leaving = []
            while self._places:
                oldest, place = next(iter(self._places.items()))
                if oldest.rests_since >= since and len(self._places) <= most:
                    break
                del self._places[oldest]
                place.connections.popleft()
                leaving.append(oldest)
        for connection in leaving:
            connection.close()


class Resting:
    """Those of one pool, as urllib3 asks for them: the latest goes first."""

    def __init__(self, idle: Idle) -> None:
        self._idle = idle
        self.connections: deque[WatchedConnection] = deque()
        """The latest last; for Idle alone to change."""

    def get(self, block: bool = False, timeout: float | None = None) -> WatchedConnection:
        """Raises queue.Empty, at which urllib3 makes a connection."""
        connection = self._idle.take(self)
        if connection is None:
            raise queue.Empty
        return connection

    def put(self, connection: WatchedConnection | None, block: bool = False) -> None:
        """`connection` None, which urllib3 puts in the place of one that broke, is no connection."""
        if connection is not None:
            self._idle.keep(connection, place=self)

    def qsize(self) -> int:
        return len(self.connections)
