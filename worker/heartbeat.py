"""Tells that this process lives, hears of cancelled jobs, and gives back what no thread holds any more."""

from __future__ import annotations

import os
import socket
import threading
import time
from typing import Any

from jobs.workers import Workers
from worker.crew import Crew
from worker.missing import Missing
from worker.orphans import Orphanage

BEAT_SECONDS = 1.0


def about_this_process() -> dict[str, str | int | float]:
    """What others may want to know of it: its host, its process id, and since when it runs (seconds)."""
    return {"host": socket.gethostname(), "pid": os.getpid(), "started_at": round(time.time(), 3)}


class Heartbeat:
    def __init__(self, workers: Workers, crew: Crew[Any], orphanage: Orphanage, *, worker: str) -> None:
        self._workers = workers
        self._crew = crew
        self._orphanage = orphanage
        self._worker = worker
        self._about = about_this_process()
        self._missing = Missing(workers, crew, process_id=worker)
        self._cancelled: list[str] = []

    def step(self) -> float:
        heard = self._workers.beat(self._worker, slots=self._crew.open_slots, about=self._about, heard=self._cancelled)
        self._cancelled = heard.cancelled
        self._crew.cancel(self._cancelled)
        for orphan in heard.orphans:
            # On a thread of its own: a beat must not wait for an endpoint.
            threading.Thread(target=self._orphanage.end, args=(orphan,), daemon=True).start()
        self._missing.beat()
        return BEAT_SECONDS
