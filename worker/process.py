"""One worker process: what it is made of, and the order in which that starts and stops."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import socket
import time
from collections.abc import Mapping

from jobs.accounts import accounts_of
from jobs.coalesce import Coalescer
from jobs.connection import connect
from jobs.errors import StoreUnavailable
from jobs.lanes import Lanes
from jobs.limits import read_limits
from jobs.persistence import PersistenceCheck
from jobs.runs import Runs
from jobs.settings import Settings
from jobs.workers import Workers
from worker.attempt import Attempts
from worker.background import Background
from worker.calls import Calls
from worker.crew import Crew
from worker.dispatcher import Dispatcher
from worker.endpoints import open_endpoints
from worker.heartbeat import Heartbeat
from worker.loops import Loop
from worker.orphans import Orphanage
from worker.results import Results
from worker.sweeper import Sweeper

WATCH_SECONDS = 0.25
WRITE_SECONDS = 30.0
"""For requests to be read and answers to be written; long, since they may be large and nobody waits for them."""


log = logging.getLogger(__name__)


class Process:
    """Nothing runs and nothing is connected before `start`."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        """`environ` holds the keys of the accounts that the limits file names. Raises SettingsError."""
        self.id = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self._grace_seconds = settings.grace_seconds
        self._log_level = settings.log_level
        self._drained_at: float | None = None
        redis = connect(settings.redis_url)
        writer = connect(settings.redis_url, answer_seconds=WRITE_SECONDS)
        self._persistence = PersistenceCheck(redis)
        self._workers = Workers(redis)
        self._calls = Calls()
        self._coalescer = Coalescer(writer)
        limits = read_limits(settings.limits_file)
        runs = Runs(self._coalescer, writer, worker=self.id)
        endpoints = open_endpoints(accounts_of(limits, settings, environ), settings)
        attempts = Attempts(
            runs=runs,
            endpoints=endpoints,
            background=Background(runs=runs, calls=self._calls),
            results=Results(runs=runs, prices=limits.prices),
            calls=self._calls,
        )
        self.crew = Crew(attempts, runs, self._calls, slots=settings.slots)
        self._dispatcher = Dispatcher(
            Lanes(redis, limits, connect_seconds=settings.connect_timeout_seconds), redis, worker=self.id
        )
        self._beats = Loop(
            "heartbeat", Heartbeat(self._workers, self.crew, Orphanage(endpoints=endpoints), worker=self.id).step
        )
        self._dispatches = Loop("dispatcher", self._dispatcher.step)
        self._sweeps = Loop("sweeper", Sweeper(self._workers).step)
        self._watch = Loop("watch", self._hang_up_overdue)

    def start(self) -> None:
        for name in ("celery.worker.strategy", "celery.app.trace"):
            logging.getLogger(name).setLevel(logging.WARNING)  # two lines a message that say nothing of the job
        for name in ("worker", "jobs"):
            logging.getLogger(name).setLevel(self._log_level)
        self._check_persistence()
        self._coalescer.start()
        for loop in (self._beats, self._dispatches, self._sweeps, self._watch):
            loop.start()
        log.info("worker %s offers %s slots", self.id, self.crew.open_slots)

    def _check_persistence(self) -> None:
        with contextlib.suppress(StoreUnavailable):  # the loops will say so, again and again
            self._persistence.read()

    def drain(self) -> None:
        """Takes nothing new and says so at once. The grace period counts from here: Celery takes its time to stop."""
        if self._drained_at is None:
            self._drained_at = time.monotonic()
        self.crew.drain()
        self._beats.nudge()

    def stop(self) -> None:
        """Lets calls end within the grace period, hands the rest back by policy, and leaves."""
        self.drain()
        left = self.crew.finish(grace_seconds=self._grace_left())
        for loop in (self._dispatches, self._sweeps, self._watch, self._beats):
            loop.stop()
        self._dispatcher.close()
        self._coalescer.close()
        handed_back = self._workers.leave(self.id)
        log.info("worker %s leaves: %s calls hung up, %s jobs handed back", self.id, left, handed_back)

    def _grace_left(self) -> float:
        passed = time.monotonic() - self._drained_at if self._drained_at is not None else 0.0
        return max(0.0, self._grace_seconds - passed)

    def _hang_up_overdue(self) -> float:
        self._calls.hang_up_overdue()
        return WATCH_SECONDS
