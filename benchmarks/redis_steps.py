"""What each step of a job's life takes of Redis: `python -m benchmarks.redis_steps`.

It explains what the drain says of Redis. `before work` is what a script takes until its first line of work: each run of
one makes the functions of its parts anew.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import resources
from typing import cast

import redis

from benchmarks.filling import FILLER, Collected, filled_job, finish
from benchmarks.found import Bars, Column, Found, Values
from benchmarks.place import place
from benchmarks.rounds import Samples
from benchmarks.scenario import options, run
from jobs import keys, scripts
from jobs.coalesce import Coalescer
from jobs.connection import connect
from jobs.limits import LaneLimits, Limits
from jobs.runs import Runs
from jobs.store import JobStore, Sameness
from tests.fakes.bench import Bench, running_bench
from tests.fakes.post_office import HOOK

LIMITS = Limits(
    default=LaneLimits(in_flight=10_000, requests_per_minute=10**9, tokens_per_minute=10**12),
)
STEPS = ("submit", "dispatch", "claim", "mark_sent", "finish")
EMPTY_RUNS = 2000
COLUMNS = (
    Column(key="cpu_us", title="CPU, µs a job"),
    Column(key="commands", title="commands a job, those inside of scripts too", digits=1),
    Column(key="before_us", title="before work, µs a script"),
)


@dataclass(slots=True, kw_only=True)
class Meter:
    """What Redis took for each step, over `jobs` jobs."""

    client: redis.Redis
    jobs: int
    took: dict[str, dict[str, float]] = field(default_factory=dict)

    @contextmanager
    def of(self, step: str) -> Iterator[None]:
        cpu, commands = _cpu_seconds(self.client), _commands(self.client)
        yield
        self.took[step] = {
            "cpu_us": 1e6 * (_cpu_seconds(self.client) - cpu) / self.jobs,
            "commands": (_commands(self.client) - commands) / self.jobs,
        }


def _cpu_seconds(client: redis.Redis) -> float:
    info = client.info("cpu")
    return float(info["used_cpu_user"] + info["used_cpu_sys"])


def _commands(client: redis.Redis) -> int:
    return int(client.info("stats")["total_commands_processed"])


def lived(bench: Bench, *, jobs: int) -> Mapping[str, Values]:
    """Jobs, each with a webhook due, from their submit to their end, a step for all of them at a time."""
    client, meter = bench.client, Meter(client=bench.client, jobs=jobs)
    store = JobStore(client, max_queued_bytes=2**50)
    made = [replace(filled_job(place), webhook=HOOK) for place in range(jobs)]
    submits = [store.submission(job, Sameness(digest=job.number)) for job in made]
    with meter.of("submit"):
        scripts.run_all(client, submits)
    bench.beat(FILLER, slots=jobs)
    with meter.of("dispatch"):
        while bench.dispatch().released:
            pass
    with meter.of("claim"):
        claims = bench.claim(FILLER)
    marks, ends = Collected(), Collected()
    for claim in claims:
        Runs(cast(Coalescer, marks), client, worker=FILLER).mark_sent(claim)
        finish(ends, client, claim)
    for step, collected in (("mark_sent", marks), ("finish", ends)):
        with meter.of(step):
            scripts.run_all(client, collected.calls)
    return {step: took | {"before_us": before_work(client, step)} for step, took in meter.took.items()}


def before_work(client: redis.Redis, name: str) -> float:
    """Microseconds that the script takes if nothing but its parts is left of it."""
    folder = resources.files("jobs") / "lua"
    flags, uses, _ = (folder / f"{name}.lua").read_text(encoding="utf-8").split("\n", 2)
    parts = [(folder / "parts" / f"{part}.lua").read_text(encoding="utf-8") for part in uses.split()[2:]]
    digest = client.script_load("\n".join([flags, *parts, "at_the_end() return 1"]))
    cpu = _cpu_seconds(client)
    with client.pipeline(transaction=False) as pipeline:
        for _ in range(EMPTY_RUNS):
            pipeline.execute_command("EVALSHA", digest, 1, keys.job("none"), keys.PREFIX)
        pipeline.execute()
    return 1e6 * (_cpu_seconds(client) - cpu) / EMPTY_RUNS


def measure(asked: argparse.Namespace) -> Found:
    samples = Samples({step: [] for step in STEPS})
    with place() as here, running_bench(connect(here.redis_url, answer_seconds=60), limits=LIMITS) as bench:
        lived(bench, jobs=16)  # loads the scripts
        for _ in range(asked.rounds):
            for step, values in lived(bench, jobs=asked.jobs).items():
                samples.of[step].append(values)
    return Found(
        name="redis-steps",
        title="What a job takes of Redis, by step",
        columns=COLUMNS,
        samples=samples.of,
        bars=[Bars(key="cpu_us", title="CPU of Redis, µs a job", better="shorter")],
        options={"jobs": asked.jobs, "rounds": asked.rounds},
    )


if __name__ == "__main__":
    reader = options(__doc__, rounds=5)
    reader.add_argument("--jobs", type=int, default=1024)
    raise SystemExit(run(measure, reader.parse_args()))
