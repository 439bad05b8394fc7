"""What every step costs with few jobs in the store and with very many: `python -m benchmarks.growth`.

Two servers of their own hold few and many jobs: as many queued as ended. Every round makes each step on both, one
right after the other, so that a noisy machine disturbs both alike. Then a worker runs over the many while their lane
is paused.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import redis

from benchmarks.answers import ANSWER, MODEL
from benchmarks.filling import Collected, end, filled_job, finish, queue_up
from benchmarks.found import Column, Found, Target, Values
from benchmarks.idle import measure_idle_worker
from benchmarks.place import Place, place
from benchmarks.rounds import tell
from benchmarks.scenario import options, run
from benchmarks.service import paused
from benchmarks.table import median_of
from jobs import scripts
from jobs.claims import Claim
from jobs.connection import connect
from jobs.job_filter import JobFilter
from jobs.limits import LaneLimits, Limits
from jobs.listing import Listing
from jobs.store import JobStore, Sameness
from jobs.waiting import WaitingRoom
from tests.fakes.bench import Bench, running_bench

LIMITS = Limits(default=LaneLimits(in_flight=10_000))
COMPLETED = JobFilter(statuses=("completed",))
MOST_GROWTH = 1.3
MOST_QUEUED_BYTES = 1300.0
MOST_ENDED_BYTES = 700.0
COLUMNS = (
    Column(key="few_us", title="few, µs"),
    Column(key="many_us", title="many, µs"),
    Column(key="growth", title="many against few", digits=2),
)
Step = Callable[[], object]


@dataclass(slots=True, kw_only=True)
class Case:
    """One store, and the steps of a job's life in it."""

    bench: Bench
    ended: list[str] = field(default_factory=list)
    queued: list[str] = field(default_factory=list)
    ended_bytes: float = 0.0
    queued_bytes: float = 0.0
    claims: list[Claim] = field(default_factory=list)

    def fill(self, count: int) -> None:
        client = self.bench.client
        self.bench.submit(model=MODEL)  # loads the script
        empty = _used(client)
        self.ended = end(self.bench, count)
        with_ended = _used(client)
        self.queued = list(queue_up(client, count))
        self.ended_bytes = (with_ended - empty) / count
        self.queued_bytes = (_used(client) - with_ended) / count
        self.bench.beat("w1", slots=1)

    def steps(self, number: int) -> Iterator[tuple[str, Step]]:
        """Each may rest on those before it; `number` is the same for few and many."""
        bench, client = self.bench, self.bench.client
        store = JobStore(client, max_queued_bytes=2**50)
        waiting, listing = WaitingRoom(client, LIMITS), Listing(client, store)
        queued, ended = self.queued[len(self.queued) // 2], self.ended[len(self.ended) // 2]
        job = filled_job(number)
        yield "submit", lambda: store.submit(job, Sameness(digest=job.number))
        yield "poll, queued", lambda: store.get(queued, project=None)
        yield "poll, ended", lambda: store.get(ended, project=None)
        yield "place in the queue", lambda: waiting.of([bench.job(queued)])
        yield "list, first page", lambda: listing.page(project="p1", limit=20)
        yield "list, in the middle", lambda: listing.page(project=None, limit=20, after=ended)
        yield "list, one status", lambda: listing.page(project="p1", limit=20, wanted=COMPLETED)
        yield "dispatch", bench.dispatch
        yield "claim", self._claim
        yield "finish", self._finish
        yield "heartbeat", lambda: bench.beat("w1", slots=1)
        yield "sweep", bench.sweep
        yield "cancel", lambda: store.cancel(self.queued.pop(), project=None)
        yield "delete", lambda: store.delete(self.ended.pop(), project=None)

    def _claim(self) -> None:
        self.claims = self.bench.claim()

    def _finish(self) -> None:
        collected = Collected()
        for claim in self.claims:
            finish(collected, self.bench.client, claim)
        scripts.run_all(self.bench.client, collected.calls)


def _used(client: redis.Redis) -> int:
    return int(client.info("memory")["used_memory"])


def timed(few: Case, many: Case, *, rounds: int) -> dict[str, list[Values]]:
    samples: dict[str, list[Values]] = {}
    for number in range(-1, rounds):
        for (name, on_few), (_, on_many) in zip(few.steps(number), many.steps(number), strict=True):
            pair = [("few_us", on_few), ("many_us", on_many)]
            random.shuffle(pair)  # whoever comes second finds the caches warm
            took = {which: 1e6 * _seconds(step) for which, step in pair}
            if number >= 0:  # the round before these finds scripts that are not loaded and nobody who leads
                samples.setdefault(name, []).append(took)
    return samples


def _seconds(step: Step) -> float:
    started = time.perf_counter()
    step()
    return time.perf_counter() - started


def measure(asked: argparse.Namespace) -> Found:
    with ExitStack() as stack:
        cases: list[tuple[Case, Place]] = []
        for count in (asked.few, asked.many):
            here = stack.enter_context(place())
            client = connect(here.redis_url, answer_seconds=60)
            case = Case(bench=stack.enter_context(running_bench(client, limits=LIMITS)))
            case.fill(count)
            tell(f"{count:,} ended jobs and {count:,} queued ones are there")
            cases.append((case, here))
        (few, _), (many, over_many) = cases
        samples = timed(few, many, rounds=asked.rounds)
        notes = [_idle(many, over_many)] if asked.idle else []
    ratios = {name: _growth(found) for name, found in samples.items()}
    beyond = many.ended_bytes - len(ANSWER)
    return Found(
        name="growth",
        title=f"With {asked.many:,} queued and as many ended jobs against {asked.few:,}",
        columns=COLUMNS,
        samples={name: [*found, {"growth": ratios[name]}] for name, found in samples.items()},
        targets=[
            *(_growth_target(name, ratio) for name, ratio in ratios.items()),
            Target(text="bytes a queued job", value=many.queued_bytes, bound=MOST_QUEUED_BYTES, wanted="at most"),
            Target(text="bytes an ended job beyond its answer", value=beyond, bound=MOST_ENDED_BYTES, wanted="at most"),
        ],
        notes=notes,
        options={"few": asked.few, "many": asked.many, "rounds": asked.rounds},
    )


def _growth_target(name: str, ratio: float) -> Target:
    return Target(text=f"growth: {name}", value=ratio, bound=MOST_GROWTH, wanted="at most")


def _growth(found: list[Values]) -> float:
    return (median_of(found, "many_us") or 0) / (median_of(found, "few_us") or 1)


def _idle(case: Case, here: Place) -> str:
    case.bench.workers.leave("w1")
    case.bench.workers.upgrade()  # what the first worker of a store does once is not what it costs idle
    with paused(case.bench.client, MODEL):
        idle = measure_idle_worker(here.redis_url, here.folder)
    return (
        f"A worker over the many while their lane is paused takes {idle.cpu_share:.2%} of a core and"
        f" {idle.commands_per_second:.1f} round trips a second."
    )


if __name__ == "__main__":
    reader = options(__doc__, rounds=300)
    reader.add_argument("--few", type=int, default=1_000)
    reader.add_argument("--many", type=int, default=1_000_000)
    reader.add_argument("--idle", action=argparse.BooleanOptionalAction, default=True)
    raise SystemExit(run(measure, reader.parse_args()))
