"""Tells that this process lives, hears of cancelled jobs, and gives back what no thread holds any more."""

from __future__ import annotations

import os
import socket
import threading
import time

from jobs.workers import Workers
from worker.crew import Crew
from worker.orphans import Orphanage

BEAT_SECONDS = 1.0
CHECK_BEATS = 10


class Heartbeat:
    def __init__(self, workers: Workers, crew: Crew, orphanage: Orphanage, *, worker: str) -> None:
        self._workers = workers
        self._crew = crew
        self._orphanage = orphanage
        self._worker = worker
        self._about: dict[str, str | int | float] = {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "started_at": round(time.time(), 3),
        }
        self._beats = 0
        self._cancelled: list[str] = []
        self._missing: set[str] = set()

    def step(self) -> float:
        heard = self._workers.beat(self._worker, slots=self._crew.open_slots, about=self._about, heard=self._cancelled)
        self._cancelled = heard.cancelled
        self._crew.cancel(self._cancelled)
        for orphan in heard.orphans:
            # On a thread of its own: a beat must not wait for an endpoint.
            threading.Thread(target=self._orphanage.end, args=(orphan,), daemon=True).start()
        self._beats += 1
        if self._beats % CHECK_BEATS == 0:
            self._check()
        return BEAT_SECONDS

    def _check(self) -> None:
        """A job that is missing twice is given back; once may be a claim whose answer is still on its way."""
        missing = self._workers.held_by(self._worker) - self._crew.held
        twice = missing & self._missing
        if twice:
            self._workers.give_back(self._worker, sorted(twice))
        self._missing = missing - twice
