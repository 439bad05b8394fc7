"""A day's work replayed in seconds: jobs of mixed lengths come in waves, and each is told when it will start."""

import heapq
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
import redis

from jobs import scripts
from jobs.claims import Claim
from jobs.eta import Eta
from jobs.limits import LaneLimits, Limits
from jobs.waiting import Waiting, WaitingRoom
from tests.factories import new_job, unique
from tests.fakes.bench import ANSWERED, COMPLETED, Bench, running_bench
from tests.fakes.waiting import wait_until

SHORT, LONG = 0.05, 0.5
PROJECTS = ("p", "q", "r")
FIRST_JOBS = 60
"""They teach how long calls take; what they were told themselves does not count."""


@dataclass(slots=True)
class Replay:
    """A worker that takes what is dispatched, holds each call for its time, and ends it."""

    bench: Bench
    random: random.Random
    told: dict[str, tuple[float, Waiting]] = field(default_factory=dict)
    started: dict[str, float] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)
    _running: list[tuple[float, int, Claim]] = field(default_factory=list)

    def submit(self, count: int) -> None:
        """All at once, so that most are told of their waiting before they start, however slow the machine."""
        room, store = WaitingRoom(self.bench.client, self.bench.limits), self.bench.store
        wave = [new_job(model="m", project=self.random.choice(PROJECTS)) for _ in range(count)]
        scripts.run_all(self.bench.client, [store.submission(job, unique()) for job in wave])
        now = time.monotonic()
        waiting = room.of([job for job in store.get_all([job.number for job in wave]) if job is not None])
        self.told |= {number: (now, told) for number, told in waiting.items()}

    def work(self) -> None:
        """Works until nothing is expected any more."""
        next_beat = 0.0
        while not self.over.is_set():
            now = time.monotonic()
            if now >= next_beat:
                self.bench.beat("w1", slots=100)
                next_beat = now + 1
            self._finish(now)
            wake = self.bench.dispatch("w1").wake_seconds
            self._start()
            ends = self._running[0][0] - time.monotonic() if self._running else 0.01
            self.over.wait(max(0.0, min(ends, 0.02 if wake is None else wake, 0.02)))

    def _finish(self, now: float) -> None:
        while self._running and self._running[0][0] <= now:
            _, _, claim = heapq.heappop(self._running)
            self.bench.runs().finish(claim, COMPLETED, ANSWERED)

    def _start(self) -> None:
        for claim in self.bench.claim():
            self.started[claim.number] = now = time.monotonic()
            seconds = LONG if self.random.random() < 0.2 else SHORT * self.random.uniform(0.5, 1.5)
            heapq.heappush(self._running, (now + seconds, len(self.started), claim))


@pytest.mark.parametrize(
    "limits", [LaneLimits(in_flight=5), LaneLimits(in_flight=1), LaneLimits(requests_per_minute=2400, in_flight=50)]
)
def test_most_jobs_start_before_the_time_they_were_told(store_client: redis.Redis, limits: LaneLimits) -> None:
    with running_bench(store_client, limits=Limits(default=limits)) as bench:
        known = replayed(bench, count=60 if limits.in_flight == 1 else 200)
    in_time = sum(waited <= eta.p90_seconds for waited, eta in known) / len(known)
    likely = sum(waited <= eta.p50_seconds for waited, eta in known) / len(known)
    far_off = sum(eta.p90_seconds > 3 * waited + 1 for waited, eta in known) / len(known)
    # Nine of ten are meant; a machine that does other work, too, starts some late.
    assert in_time >= 0.75, f"{in_time:.0%} of the jobs started before their p90"
    assert likely <= 0.85, "what is called likely is put off on purpose"
    assert far_off <= 0.1, "times so late that nobody can plan with them"


def replayed(bench: Bench, *, count: int) -> list[tuple[float, Eta]]:
    """How long each job waited, and what it was told."""
    replay = Replay(bench, random.Random(7))
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(replay.work)
        try:
            replay.submit(FIRST_JOBS)
            wait_until(lambda: working.done() or len(replay.started) == FIRST_JOBS, seconds=30)
            for _ in range(4):
                replay.submit(count // 4)
                replay.over.wait(replay.random.uniform(0.1, 1.0))
            wait_until(lambda: working.done() or len(replay.started) == len(replay.told), seconds=60)
        finally:
            replay.over.set()
            working.result()
    first = set(list(replay.told)[:FIRST_JOBS])
    rows = [(replay.started[n] - told, waiting) for n, (told, waiting) in replay.told.items() if n not in first]
    waited = [(seconds, waiting.eta) for seconds, waiting in rows if waiting.position is not None]
    assert len(waited) > len(rows) / 2, "most must have had to wait"
    known = [(seconds, eta) for seconds, eta in waited if eta is not None]
    assert len(known) == len(waited)
    return known
