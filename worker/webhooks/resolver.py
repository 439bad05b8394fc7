"""Looking up names in a time that the call bounds, which getaddrinfo does not know."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from typing import Any, cast

import gevent
from gevent import monkey

from worker.calls import Call
from worker.webhooks.results import Error
from worker.webhooks.shortage import is_short
from worker.webhooks.unconnected import Unconnected

SLICE_SECONDS = 0.1
MOST_THREADS = 500

Address = tuple[socket.AddressFamily, tuple[str | int, ...]]
"""As `connect` takes it."""


def widen_resolver(*, threads: int = MOST_THREADS) -> None:
    """Under gevent names are looked up on native threads, ten at most: those that hang would hold up all the rest."""
    if monkey.is_module_patched("socket"):
        pool = gevent.get_hub().threadpool
        pool.maxsize = max(pool.maxsize, threads)


class _LookUp:
    def __init__(self) -> None:
        self.over = threading.Event()
        self.found: tuple[Address, ...] = ()
        self.error: Error = "dns_error"


class Resolver:
    """Each look-up has a thread of its own (under gevent: a greenlet), which whoever asks can leave behind.

    Who asks while the same name is being looked up shares the answer, so that a name that hangs costs one thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: dict[tuple[str, int], _LookUp] = {}

    def look_up(self, host: str, port: int, *, call: Call) -> Sequence[Address]:
        """All addresses of a name, at least one. Raises Unconnected."""
        look_up = self._join(host, port)
        while not look_up.over.wait(SLICE_SECONDS):
            if call.hung_up or call.overdue:
                break
        if not look_up.found:
            raise Unconnected(look_up.error)
        return look_up.found

    def _join(self, host: str, port: int) -> _LookUp:
        with self._lock:
            look_up = self._under_way.get((host, port))
            if look_up is None:
                look_up = _LookUp()
                threading.Thread(target=self._run, args=(host, port, look_up), name="look-up", daemon=True).start()
                self._under_way[host, port] = look_up
            return look_up

    def _run(self, host: str, port: int, look_up: _LookUp) -> None:
        try:
            look_up.found = _addresses(host, port)
            if not look_up.found and is_short():
                look_up.error = "too_many_open_files"
        finally:
            with self._lock:
                self._under_way.pop((host, port), None)
            look_up.over.set()


def _addresses(host: str, port: int) -> tuple[Address, ...]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple((family, cast(Any, address)) for family, _, _, _, address in found)
