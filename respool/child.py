"""One process of the service: started, started again, signalled."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from respool.lifeline import Lifeline, announced
from respool.log import Log
from respool.processes import Process

SHORTEST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0
"""Who lived this long is not in a crash loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A child has ended, with all of its process group; `code` as subprocess gives it."""

    child: Child
    group: int
    code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAsked:
    """SIGINT or SIGTERM came."""


Events = SimpleQueue[Ended | StopAsked]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all children share. `lock` is a descriptor that they hold open as long as they live."""

    environ: Mapping[str, str]
    folder: Path
    lock: int
    lifeline: Lifeline
    log: Log
    events: Events


class Child:
    """Runs in its own session, so that a terminal's Ctrl-C reaches `up` alone."""

    def __init__(self, process: Process, surroundings: Surroundings) -> None:
        self.process = process
        self.group: int | None = None
        self.deaths = 0
        self._around = surroundings
        self._started_at = 0.0
        self._pause_seconds = SHORTEST_PAUSE_SECONDS

    def start(self) -> None:
        around = self._around
        popen = subprocess.Popen(  # nosec B603  # our own commands, without a shell
            announced(self.process.command, rank=self.process.rank),
            stdin=around.lifeline.descriptor,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=around.folder,
            env={**around.environ, **self.process.environ},
            start_new_session=True,
            pass_fds=(around.lock, *self.process.descriptors),
        )
        self.group = popen.pid
        self._started_at = time.monotonic()
        assert popen.stdout is not None  # nosec B101  # it was given a pipe
        around.log.relay(self.process.name, popen.stdout)
        threading.Thread(target=self._wait, args=(popen,), name=f"end of {self.process.name}", daemon=True).start()

    def _wait(self, popen: subprocess.Popen[bytes]) -> None:
        if hasattr(os, "waitid"):
            # Until it is reaped below, no stranger can get the number that the next line kills.
            os.waitid(os.P_PID, popen.pid, os.WEXITED | os.WNOWAIT)
        else:
            popen.wait()
        _kill_group(popen.pid, signal.SIGKILL)
        self._around.events.put(Ended(child=self, group=popen.pid, code=popen.wait()))

    def ended(self) -> float:
        """Takes note of the end; the seconds to wait before the next start."""
        self.group = None
        self.deaths += 1
        if time.monotonic() - self._started_at >= STEADY_SECONDS:
            self._pause_seconds = SHORTEST_PAUSE_SECONDS
        pause = self._pause_seconds
        self._pause_seconds = min(2 * pause, LONGEST_PAUSE_SECONDS)
        return pause

    def ask_to_stop(self) -> None:
        """SIGTERM to the process itself, which knows best how to end what it started."""
        if self.group is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.group, signal.SIGTERM)

    def kill(self) -> None:
        if self.group is not None:
            _kill_group(self.group, signal.SIGKILL)


def _kill_group(group: int, number: signal.Signals) -> None:
    # macOS says "not permitted" of a group that is nothing but zombies.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
