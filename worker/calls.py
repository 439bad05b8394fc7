"""The calls that are under way in this process, and how to hang up on one from outside."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

CANCELLED = "cancelled"
OUT_OF_TIME = "out_of_time"
STOPPING = "stopping"
SUPERSEDED = "superseded"


class Call:
    """One call upstream. A requests timeout bounds a single read, never the whole call; hanging up does."""

    def __init__(self, *, seconds: float) -> None:
        self.tell: Callable[[dict[str, Any]], None] | None = None
        """Is told the events of the answer as they come, if it is a stream."""
        self.seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self.hung_up: str | None = None
        self.connected = False
        self.http_status: int | None = None
        self.request_id: str | None = None
        self.response: dict[str, Any] = {}
        """What was heard of the upstream's response besides its end: its `id`, and its `usage` if it told one."""
        self._over: threading.Event | None = None

    @property
    def overdue(self) -> bool:
        return time.monotonic() >= self._deadline

    def uses(self, connected: socket.socket) -> None:
        """Tells which socket carries the call. Raises ConnectionAbortedError if it was hung up meanwhile."""
        with self._lock:
            if self.hung_up:
                raise ConnectionAbortedError(self.hung_up)
            self._socket = connected
            self.connected = True

    def hears(self, *, http_status: int, request_id: str | None) -> None:
        """Keeps what the head of the answer said: should the rest not come, this is what the upstream knows it by."""
        self.http_status, self.request_id = http_status, request_id

    def leaves(self) -> None:
        """The connection is free for other calls, and no longer this one's to shut."""
        with self._lock:
            self._socket = None

    def wait(self, seconds: float) -> bool:
        """Waits until the time is over or the call is hung up; True if it is hung up."""
        with self._lock:
            if self.hung_up:
                return True
            over = self._over = self._over or threading.Event()
        return over.wait(seconds)

    def hang_up(self, why: str) -> None:
        """Shuts the connection and ends the waiting, so that whoever reads or waits for it goes on at once."""
        with self._lock:
            self.hung_up = self.hung_up or why
            if self._over is not None:
                self._over.set()
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    # Not the TLS socket's own shutdown: that one would first take the TLS layer from under its reader.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


current: ContextVar[Call | None] = ContextVar("call", default=None)
"""The call that the running thread makes."""


class Calls:
    """All calls of the process by job number and attempt.

    One job can have two: a sweep recovers an attempt whose worker was cut off, and the same worker claims the next.
    """

    def __init__(self) -> None:
        self._calls: dict[str, dict[int, Call]] = {}
        self._lock = threading.Lock()

    def add(self, number: str, attempt: int, call: Call) -> None:
        with self._lock:
            self._calls.setdefault(number, {})[attempt] = call

    def remove(self, number: str, attempt: int) -> None:
        with self._lock:
            held = self._calls.get(number, {})
            held.pop(attempt, None)
            if not held:
                self._calls.pop(number, None)

    def hang_up(self, number: str, why: str) -> None:
        """Ends every attempt's call for the job."""
        with self._lock:
            found = list(self._calls.get(number, {}).values())
        for call in found:
            call.hang_up(why)

    def hang_up_overdue(self) -> None:
        for call in self._all():
            if call.overdue:
                call.hang_up(OUT_OF_TIME)

    def hang_up_all(self, why: str) -> None:
        for call in self._all():
            call.hang_up(why)

    def _all(self) -> list[Call]:
        with self._lock:
            return [call for held in self._calls.values() for call in held.values()]
