"""Keeps the processes of the service running, and stops them in order."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from queue import Empty
from types import FrameType

from respool.child import Child, Ended, StopAsked, Surroundings
from respool.errors import CannotRun
from respool.processes import Process

LOOK_SECONDS = 0.1
GUARD_LOOK_SECONDS = 1.0
"""How long a dead guard can go unseen."""
KILL_SECONDS = 2.0
MOST_EARLY_DEATHS = 3
"""Ends of one process before the service was ready, after which it is given up."""


class Supervisor:
    """Everything happens in the thread that calls; the children's ends and the signals come to it through one queue."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._around = surroundings
        self._children: list[Child] = []
        self._starts: dict[Child, float] = {}
        self._stop_asked = 0

    @contextmanager
    def supervising(self) -> Iterator[Supervisor]:
        """All processes are stopped at the end.

        SIGINT, SIGTERM and SIGHUP ask for the end while this lasts; the second time, for an end at once.
        """
        numbers = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as it is under nohup
            numbers.append(signal.SIGHUP)
        before = [signal.signal(number, self._asked_to_stop) for number in numbers]
        try:
            yield self
        finally:
            self.stop()
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, handler)

    def _asked_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._around.events.put(StopAsked())

    def start(self, process: Process) -> None:
        self._around.log.join(process.name)
        child = Child(process, self._around)
        self._children.append(child)
        child.start()

    def groups(self, *, rank: int) -> set[int]:
        """The process ids of the running children of one rank."""
        return {child.group for child in self._children if child.group is not None and child.process.rank == rank}

    def keep_until(self, ready: Callable[[], bool], *, what: str, seconds: float) -> bool:
        """Keeps the processes up until `ready`; False if the end was asked for meanwhile.

        Raises CannotRun, naming `what`, if that takes longer than `seconds` or a process ends again and again.
        """
        deadline = time.monotonic() + seconds
        while not self._stop_asked:
            if ready():
                return True
            for child in self._children:
                if child.deaths >= MOST_EARLY_DEATHS:
                    raise CannotRun(f"{child.process.name} ended {child.deaths} times; its lines above say why")
            if time.monotonic() > deadline:
                raise CannotRun(f"{what} did not answer within {seconds:g} s")
            self._turn(LOOK_SECONDS)
        return False

    def keep(self) -> None:
        """Keeps the processes up until the end is asked for."""
        while not self._stop_asked:
            self._turn(GUARD_LOOK_SECONDS)

    def stop(self) -> None:
        """Ends all processes, rank by rank, each with its time; asked for again meanwhile, all of them at once."""
        self._starts.clear()
        self._stop_asked = max(self._stop_asked, 1)
        by_rank = sorted(self._children, key=lambda child: child.process.rank)
        for _, children in groupby(by_rank, key=lambda child: child.process.rank):
            self._stop_together(list(children))

    def _stop_together(self, children: list[Child]) -> None:
        for child in children:
            child.ask_to_stop()
        deadline = time.monotonic() + max(child.process.stop_seconds for child in children)
        while _running(children) and time.monotonic() < deadline and self._stop_asked < 2:
            self._turn(deadline - time.monotonic())
        for child in children:
            child.kill()
        deadline = time.monotonic() + KILL_SECONDS
        while _running(children) and time.monotonic() < deadline:
            self._turn(deadline - time.monotonic())

    def _turn(self, seconds: float) -> None:
        """Waits for the next event, the next start or look at the guard that is due, or `seconds`; does what is due."""
        self._see_to_guard()
        self._start_due()
        match self._next_event(seconds):
            case StopAsked():
                self._stop_asked += 1
            case Ended() as event:
                self._take(event)
            case None:
                pass

    def _see_to_guard(self) -> None:
        if self._around.lifeline.broken:
            ranks = {child.group: child.process.rank for child in self._children if child.group is not None}
            self._around.lifeline.mend(ranks)
            self._around.log.write("guard", "ended; a new one has taken its place")

    def _next_event(self, seconds: float) -> Ended | StopAsked | None:
        starts = [at - time.monotonic() for at in self._starts.values()]
        try:
            return self._around.events.get(timeout=max(0.0, min(seconds, GUARD_LOOK_SECONDS, *starts)))
        except Empty:
            return None

    def _take(self, event: Ended) -> None:
        self._around.lifeline.forget(event.group)
        pause = event.child.ended()
        if not self._stop_asked:
            name = event.child.process.name
            self._around.log.write(name, f"ended ({_told(event.code)}); starts again in {pause:g} s")
            self._starts[event.child] = time.monotonic() + pause

    def _start_due(self) -> None:
        due = [child for child, at in self._starts.items() if at <= time.monotonic()]
        for child in due:
            del self._starts[child]
            child.start()


def _running(children: list[Child]) -> bool:
    return any(child.group is not None for child in children)


def _told(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
