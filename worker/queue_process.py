"""A process that is handed work on a queue of its own: the order in which its parts start and stop."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from jobs.coalesce import Coalescer
from jobs.logs import set_levels
from jobs.open_files import allow_open_files
from jobs.redis_safety import RedisSafety
from worker.calls import Calls
from worker.crew import Crew
from worker.loops import Loop

WATCH_SECONDS = 0.25
SAFETY_SECONDS = 1.0
SETTLED_SECONDS = 86400.0
UNSAFE_EXIT = os.EX_CONFIG
WRITE_SECONDS = 30.0
"""For requests to be read and answers to be written; long, since they may be large and nobody waits for them."""

log = logging.getLogger(__name__)


def new_id() -> str:
    """A name for this process that no other one has."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What such a process is made of. `beats` renews its lease, `others` work beside it."""

    crew: Crew[Any]
    calls: Calls
    coalescer: Coalescer
    beats: Loop
    others: Sequence[Loop]
    safety: RedisSafety
    closing: Callable[[], None]
    """Ends what the loops have opened."""


class QueueProcess(ABC):
    """Nothing runs and nothing is connected before `start`."""

    def __init__(self, process_id: str, parts: Parts, *, grace_seconds: float, log_level: str) -> None:
        self.id = process_id
        self.crew = parts.crew
        self._parts = parts
        self._watch = Loop("watch", self._hang_up_overdue)
        self._grace_seconds = grace_seconds
        self._log_level = log_level
        self._drained_at: float | None = None
        self._started = False
        self._safety = Loop("safety", self._leave_unsafe)

    @abstractmethod
    def leave(self) -> int:
        """Tells the store that the process goes for good; how much of what it held is handed back."""

    def start(self) -> None:
        """Raises SystemExit where Redis is no place for jobs."""
        set_levels(self._log_level)
        if (why := self._parts.safety.refusal()) is not None:
            log.critical("%s", why)
            raise SystemExit(UNSAFE_EXIT)
        allow_open_files()
        self._started = True
        self._parts.coalescer.start()
        for loop in (self._parts.beats, *self._parts.others, self._watch, self._safety):
            loop.start()
        log.info("%s offers %s slots", self.id, self.crew.open_slots)

    def drain(self) -> None:
        """Takes nothing new and says so at once. The grace period counts from here: Celery takes its time to stop."""
        if self._drained_at is None:
            self._drained_at = time.monotonic()
        self.crew.drain()
        self._parts.beats.nudge()

    def stop(self) -> None:
        """Lets calls end within the grace period, hands the rest back, and leaves; nothing if it never started."""
        self.drain()
        if not self._started:
            return
        left = self.crew.finish(grace_seconds=self._grace_left())
        for loop in (*self._parts.others, self._watch, self._safety, self._parts.beats):
            loop.stop()
        self._parts.closing()
        self._parts.coalescer.close()
        log.info("%s leaves: %s calls hung up, %s handed back", self.id, left, self.leave())

    def _grace_left(self) -> float:
        passed = time.monotonic() - self._drained_at if self._drained_at is not None else 0.0
        return max(0.0, self._grace_seconds - passed)

    def _hang_up_overdue(self) -> float:
        self._parts.calls.hang_up_overdue()
        return WATCH_SECONDS

    def _leave_unsafe(self) -> float:
        """A Redis that was away at the start is judged once it answers."""
        if (why := self._parts.safety.refusal()) is not None:
            log.critical("%s", why)
            os.kill(os.getpid(), signal.SIGTERM)
        return SETTLED_SECONDS if self._parts.safety.answered else SAFETY_SECONDS
