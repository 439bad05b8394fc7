"""What a job costs behind 1,000 others and behind 1,000,000, side by side in one run.

Two servers of their own hold a small and a large backlog. Every round measures each step on both, one right after the
other, so that a noisy machine disturbs both alike; what counts is the ratio of the medians. Then a worker process runs
over the large backlog while its lane is paused, and its CPU time and Redis commands are read.

    .venv/bin/python -m benchmarks.backlog [--large 1000000] [--rounds 300]
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from benchmarks.idle import measure_idle_worker
from jobs.connection import connect
from jobs.lane_states import LaneStates
from jobs.lanes import backlog_of, lane_of
from jobs.limits import LaneLimits, Limits
from jobs.record import NewJob, new_number
from jobs.store import JobStore, Sameness
from jobs.waiting import WaitingRoom
from tests.factories import new_job
from tests.fakes.bench import ANSWERED, COMPLETED, Bench, running_bench
from tests.fakes.redis_server import RedisServer, running_redis

MODEL = "measured"
SMALL = 1_000
PROJECTS = 10
LIMITS = Limits(default=LaneLimits(in_flight=10_000))
MOST_RATIO = 1.3


class Case:
    """One backlog, and the steps of a job's life over it."""

    def __init__(self, bench: Bench, url: str) -> None:
        self.bench = bench
        self.url = url
        self.waiting = WaitingRoom(connect(url), LIMITS)
        self.queued: list[str] = []

    def fill(self, count: int) -> None:
        """Puts jobs into the store in batches, without their round trips."""
        store = JobStore(self.bench.client, max_queued_bytes=2**50)
        with _one_trip(self.bench.client) as send:
            for i in range(count):
                job = _job(i)
                send(store.submission(job, Sameness(digest=job.number)).encoded().command())
                if i % (count // 500) == 0:
                    self.queued.append(job.number)

    def steps(self) -> Iterator[tuple[str, Callable[[], object]]]:
        bench = self.bench
        number = self.queued[len(self.queued) // 2]
        yield "submit", lambda: bench.submit(model=MODEL, project="p0")
        yield "position", lambda: self.waiting.of([bench.job(number)])
        yield "dispatch", lambda: bench.dispatch()
        yield "claim", lambda: self._claim()
        yield "cancel", lambda: bench.store.cancel(self.queued.pop(), project=None)

    def _claim(self) -> None:
        self.claims = self.bench.claim()

    def tidy(self) -> None:
        """Ends what a round released, so that the next one finds the slot free."""
        for claim in self.claims:
            self.bench.runs().finish(claim, COMPLETED, ANSWERED)
        self.bench.beat("w1", slots=1)


def _job(i: int) -> NewJob:
    return new_job(number=new_number(), model=MODEL, project=f"p{i % PROJECTS}", backlog=backlog_of(MODEL))


@contextmanager
def _one_trip(client: redis.Redis) -> Iterator[Callable[[list[object]], None]]:
    pipeline = client.pipeline(transaction=False)

    def send(command: list[object]) -> None:
        pipeline.execute_command(*command)
        if len(pipeline) >= 500:
            pipeline.execute()

    yield send
    pipeline.execute()


def measure(small: Case, large: Case, *, rounds: int) -> dict[str, tuple[float, float]]:
    """The median seconds of each step, over the small and the large backlog."""
    times: dict[str, tuple[list[float], list[float]]] = {}
    for _ in range(rounds):
        for (name, on_small), (_, on_large) in zip(small.steps(), large.steps(), strict=True):
            pair = [(on_small, 0), (on_large, 1)]
            random.shuffle(pair)  # whoever comes second finds the caches warm
            for step, which in pair:
                times.setdefault(name, ([], []))[which].append(_seconds(step))
        small.tidy()
        large.tidy()
    return {name: (statistics.median(a), statistics.median(b)) for name, (a, b) in times.items()}


def _seconds(step: Callable[[], object]) -> float:
    started = time.perf_counter()
    step()
    return time.perf_counter() - started


@contextmanager
def running_case(folder: Path, name: str) -> Iterator[tuple[Case, RedisServer]]:
    (folder / name).mkdir()
    with (
        running_redis(folder / name) as server,
        running_bench(connect(server.url, answer_seconds=60), limits=LIMITS) as bench,
    ):
        yield Case(bench, server.url), server


def main() -> int:
    reader = argparse.ArgumentParser(description="What a job costs behind 1,000 others and behind many more.")
    reader.add_argument("--large", type=int, default=1_000_000)
    reader.add_argument("--rounds", type=int, default=300)
    asked = reader.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with running_case(folder, "small") as (small, _), running_case(folder, "large") as (large, server):
            for case, count in ((small, SMALL), (large, asked.large)):
                case.bench.submit(model=MODEL)  # loads the script
                case.fill(count)
                case.bench.beat("w1", slots=1)
            found = measure(small, large, rounds=asked.rounds)
            memory = large.bench.client.info("memory")["used_memory"] / asked.large
            print(f"{'step':10} {SMALL:>12,} {asked.large:>12,}   ratio")
            for step, (few, many) in found.items():
                print(f"{step:10} {few * 1e6:9.0f} µs {many * 1e6:9.0f} µs   {many / few:5.2f}")
            print(f"memory: {memory:,.0f} bytes for each queued job")
            large.bench.workers.leave("w1")
            large.bench.workers.upgrade()  # what the first worker of a store does once is not what it costs idle
            LaneStates(large.bench.client, LIMITS).pause(
                lane_of(MODEL), seconds=None, reason="measuring", by="benchmark"
            )
            idle = measure_idle_worker(server.url, folder)
            print(
                f"a worker over the paused backlog: {idle.cpu_share:.2%} of a core,"
                f" {idle.commands_per_second:.1f} commands/s"
            )
    worst = max(many / few for few, many in found.values())
    return 0 if worst <= MOST_RATIO else 1


if __name__ == "__main__":
    raise SystemExit(main())
