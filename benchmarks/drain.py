"""How fast a queue that is full is worked off, and what each job takes: `python -m benchmarks.drain`.

The jobs are there before the worker process starts. The clock runs from when a part of them has been answered until
every result can be read by the id of its job.
"""

from __future__ import annotations

import argparse
import time
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from benchmarks import cost
from benchmarks.bare_requests import BareRequests
from benchmarks.contestant import Contestant, Workers
from benchmarks.found import Bars, Column, Found, Target, Values
from benchmarks.peer import CELERY, CELERY_TUNED, PEERS, TASKIQ
from benchmarks.place import place
from benchmarks.profiled import profiled
from benchmarks.respool_jobs import Respool
from benchmarks.rounds import Samples, by_turns, tell
from benchmarks.scenario import options, run, takes_part
from tests.fakes.waiting import wait_until

WARM_SHARE = 0.05
OURS, BARE, COPIED = Respool(), BareRequests(way="session"), BareRequests(way="copied")
TWO = Respool(name="respool, two processes", processes=2)
WITHOUT = Respool(name="respool, no webhook due", with_webhooks=False)
CONTESTANTS: tuple[Contestant, ...] = (OURS, WITHOUT, TWO, *PEERS, BARE, COPIED)
COLUMNS = (
    Column(key="rate", title="jobs/s"),
    Column(key="worker_ms", title="worker CPU, ms a job", digits=2),
    Column(key="redis_us", title="Redis CPU, µs a job"),
    Column(key="commands", title="Redis commands a job, those inside of scripts too", digits=1),
    Column(key="scripts", title="scripts a job", digits=1),
    Column(key="trips", title="reads from clients a job", digits=2),
    Column(key="enqueue_rate", title="queued by one client, jobs/s"),
)


def drained(contestant: Contestant, *, jobs: int, profile: Path | None) -> Values:
    with place() as here:
        queued_in = contestant.preload(here, jobs)
        with contestant.working(here, Workers()) as workers:
            pids = [worker.pid for worker in workers]
            warm = here.upstream.wait(max(1, round(jobs * WARM_SHARE)), workers=workers)
            started, before = time.monotonic(), cost.read(here.client, *pids)
            with profiled(pids[0], profile) if profile else nullcontext():
                here.upstream.wait(jobs, workers=workers)
                wait_until(lambda: contestant.answered(here) >= jobs, seconds=120)
                passed = time.monotonic() - started
                took = cost.read(here.client, *pids).since(before)
        count = jobs - warm.answered
        if count < jobs / 2:
            raise RuntimeError(f"{jobs} jobs are too few to measure: {warm.answered} were over at the first look")
        values = {
            "rate": count / passed,
            "worker_ms": 1e3 * took.worker_cpu_seconds / count,
            "redis_us": 1e6 * took.redis_cpu_seconds / count,
            "commands": took.commands / count,
            "scripts": took.scripts / count,
            "trips": took.trips / count,
        }
        return values | ({"enqueue_rate": jobs / queued_in} if queued_in else {})


def targets_of(samples: Samples) -> list[Target]:
    def against(text: str, other: str, bound: float) -> Target:
        return Target(text=text, value=samples.ratio(OURS.name, other, "rate"), bound=bound, wanted="at least")

    def cost_of(text: str, key: str, bound: float) -> Target:
        return Target(text=text, value=samples.median(OURS.name, key), bound=bound, wanted="at most")

    two = samples.ratio(TWO.name, OURS.name, "rate")
    return [
        against("jobs/s against taskiq", TASKIQ.name, 1.2),
        against("jobs/s against Celery, tuned", CELERY_TUNED.name, 4),
        against("jobs/s against Celery, defaults", CELERY.name, 7),
        against("jobs/s against bare requests", BARE.name, 0.65),
        cost_of("worker CPU, ms a job", "worker_ms", 0.95),
        cost_of("Redis CPU, µs a job", "redis_us", 60),
        cost_of("Redis commands a job, those inside of scripts too", "commands", 5),
        cost_of("scripts a job", "scripts", 5),
        Target(text="two processes against one", value=two, bound=1.6, wanted="at least"),
    ]


def measure(asked: argparse.Namespace) -> Found:
    measures = {}
    for contestant in CONTESTANTS:
        if not takes_part(asked, contestant.name):
            continue
        if missing := contestant.missing():
            tell(f"{contestant.name}: skipped, {missing}")
            continue
        file = f"drain-{contestant.name.replace(' ', '-').replace(',', '')}.stacks"
        profile = asked.profile / file if asked.profile else None
        measures[contestant.name] = partial(drained, contestant, jobs=asked.jobs, profile=profile)
    samples = by_turns(measures, rounds=asked.rounds)

    return Found(
        name="drain",
        title="Drain",
        columns=COLUMNS,
        samples=samples.of,
        targets=targets_of(samples),
        bars=[
            Bars(key="rate", title="Jobs a second, one worker process", better="longer"),
            Bars(key="worker_ms", title="Worker CPU a job, ms", better="shorter"),
            Bars(key="redis_us", title="Redis CPU a job, µs", better="shorter"),
        ],
        options={"jobs": asked.jobs, "rounds": asked.rounds},
    )


if __name__ == "__main__":
    reader = options(__doc__, rounds=3)
    reader.add_argument("--jobs", type=int, default=5000)
    reader.add_argument("--profile", type=Path, help="Folder for profiles by py-spy; they slow down what they look at.")
    raise SystemExit(run(measure, reader.parse_args()))
