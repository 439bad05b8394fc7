"""How many worker processes one Redis carries: `python -m benchmarks.horizontal`.

Redis is the one part that does not multiply. What a job costs it, and what a worker costs it that merely lives, is
measured at several numbers of workers whose calls are long, so that two cores are enough for all of them. A straight
line through these gives both; how far the greatest number is off the line of the others tells what the line is worth.
From it follows how many workers fill a given share of Redis's core.
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from statistics import linear_regression

from benchmarks import cost
from benchmarks.contestant import Workers
from benchmarks.found import Column, Found, Target, Values
from benchmarks.place import place
from benchmarks.respool_jobs import Respool
from benchmarks.rounds import Samples, by_turns
from benchmarks.scenario import options, run

REDIS_SHARE = 0.7
"""Of its core, beyond which waits grow."""

COLUMNS = (
    Column(key="workers", title="workers"),
    Column(key="rate", title="jobs/s", digits=1),
    Column(key="redis_share", title="of a core, Redis", digits=4),
    Column(key="worker_share", title="of a core, each worker", digits=3),
    Column(key="commands_rate", title="commands/s, those inside of scripts too"),
)


def carried(*, workers: int, width: int, call_seconds: float, seconds: float) -> Values:
    """Every worker is full all the time."""
    jobs = round(workers * width * (3 + seconds / call_seconds))
    with place("--delay", str(call_seconds), "--spread", "0.5") as here:
        ours = Respool(processes=workers)
        ours.preload(here, jobs)
        with ours.working(here, Workers(width=width)) as children:
            pids = [child.pid for child in children]
            # All slots are taken when the first calls end; their lengths differ, so that soon as many end as begin.
            here.upstream.wait(workers * width, workers=children)
            began, before, first = time.monotonic(), cost.read(here.client, *pids), here.upstream.counts()
            time.sleep(seconds)
            passed, took = time.monotonic() - began, cost.read(here.client, *pids).since(before)
            done = here.upstream.counts().answered - first.answered
    return {
        "workers": float(workers),
        "rate": done / passed,
        "redis_share": took.redis_cpu_seconds / passed,
        "worker_share": took.worker_cpu_seconds / passed / workers,
        "commands_rate": took.commands / passed,
    }


def resting(*, workers: int, seconds: float) -> Values:
    """Workers without a job."""
    with place() as here, Respool(processes=workers).working(here, Workers()) as children:
        time.sleep(2)
        pids = [child.pid for child in children]
        began, before = time.monotonic(), cost.read(here.client, *pids)
        time.sleep(seconds)
        passed, took = time.monotonic() - began, cost.read(here.client, *pids).since(before)
    return {
        "workers": float(workers),
        "rate": 0.0,
        "redis_share": took.redis_cpu_seconds / passed,
        "worker_share": took.worker_cpu_seconds / passed / workers,
        "commands_rate": took.commands / passed,
    }


def measure(asked: argparse.Namespace) -> Found:
    counts = [int(word) for word in asked.workers.split(",")]
    measures = {
        f"{count} workers, {asked.width} calls each": partial(
            carried, workers=count, width=asked.width, call_seconds=asked.call_seconds, seconds=asked.seconds
        )
        for count in counts
    }
    measures |= {f"{count} workers at rest": partial(resting, workers=count, seconds=asked.seconds) for count in counts}
    samples = by_turns(measures, rounds=asked.rounds)
    return Found(
        name="horizontal",
        title="Workers on one Redis",
        columns=COLUMNS,
        samples=samples.of,
        notes=_model(samples, asked),
        targets=_targets(samples, asked),
        options={"workers": asked.workers, "width": asked.width, "call_seconds": asked.call_seconds},
    )


def _model(samples: Samples, asked: argparse.Namespace) -> list[str]:
    """What a worker costs Redis at rest and with calls, each as the slope of a line over their number."""
    rest, busy = _slope(samples, "rest", "redis_share"), _slope(samples, "calls", "redis_share")
    rate = _slope(samples, "calls", "rate")
    if rest is None or not busy or not rate or busy < 0:
        return ["A line needs two numbers of workers or more."]
    most = REDIS_SHARE / busy
    return [
        f"A worker at rest takes {100 * rest:.2f} % of Redis's core, one with {asked.width} calls of"
        f" {asked.call_seconds:g} s ({rate:.0f} jobs/s) {100 * busy:.2f} %: {1e6 * (busy - rest) / rate:.0f} µs a job."
        f" At {REDIS_SHARE:.0%} of a core, one Redis carries {most:.0f} such workers: {most * rate:,.0f} jobs/s, or"
        f" {most * asked.width:,.0f} calls at a time."
    ]


def _targets(samples: Samples, asked: argparse.Namespace) -> list[Target]:
    """How far the greatest number of workers is from the line that the smaller ones make."""
    points = _points(samples, "calls", "redis_share")
    if len(points) < 3:
        return []
    (*known, (most, share)) = points
    line = linear_regression([float(x) for x, _ in known], [y for _, y in known])
    off = abs(share - (line.intercept + line.slope * most)) / share
    return [Target(text=f"Redis at {most:.0f} workers, off the line by", value=off, bound=0.2, wanted="at most")]


def _slope(samples: Samples, which: str, key: str) -> float | None:
    points = _points(samples, which, key)
    return linear_regression([x for x, _ in points], [y for _, y in points]).slope if len(points) > 1 else None


def _points(samples: Samples, which: str, key: str) -> list[tuple[float, float]]:
    names = [name for name in samples.of if which in name]
    found = [(samples.median(name, "workers"), samples.median(name, key)) for name in names]
    return sorted((x, y) for x, y in found if x is not None and y is not None)


if __name__ == "__main__":
    reader = options(__doc__, rounds=1)
    reader.add_argument("--workers", default="1,2,4,8", help="Numbers of worker processes.")
    reader.add_argument("--width", type=int, default=100, help="Calls that each makes at a time.")
    reader.add_argument("--call-seconds", type=float, default=10.0)
    reader.add_argument("--seconds", type=float, default=20.0, help="How long each number is watched.")
    raise SystemExit(run(measure, reader.parse_args()))
