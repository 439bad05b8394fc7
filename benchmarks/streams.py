"""What streaming through us adds: `python -m benchmarks.streams`.

The endpoint streams deltas, each with the moment at which it was written. Readers follow the streams through one API
process; some of them read every delta and tell how old it was when it came, the others only take it.
"""

from __future__ import annotations

import argparse
from functools import partial

from benchmarks import cost
from benchmarks.found import Column, Found, Target, Values
from benchmarks.load import loaded
from benchmarks.peers.work import MODEL
from benchmarks.place import place
from benchmarks.readers import Reading, followed
from benchmarks.respool_jobs import submits
from benchmarks.rounds import by_turns
from benchmarks.scenario import options, run
from benchmarks.service import Service, paused

OURS = "respool"
COLUMNS = (
    Column(key="p50_ms", title="added latency p50, ms", digits=1),
    Column(key="p99_ms", title="p99, ms", digits=1),
    Column(key="deltas", title="deltas measured"),
    Column(key="missing", title="missing", digits=0),
    Column(key="api_share", title="of a core, the API", digits=2),
    Column(key="worker_share", title="of a core, the worker", digits=2),
    Column(key="redis_share", title="of a core, Redis", digits=2),
)


def streamed(*, jobs: int, readers: int, deltas: float, seconds: float) -> Values:
    with place("--deltas", str(deltas), "--stream-seconds", str(seconds)) as here:
        service = Service(place=here)
        with service.api(processes=1) as (url, api), service.workers() as workers:
            before = cost.read(here.client, workers[0].pid)
            api_before = cost.cpu_seconds(api.pid)
            with paused(here.client, MODEL):
                ids = loaded(submits(url, jobs, hook=None, clients=8, keep_ids=True, stream=True)).ids
                reading = Reading(url=url, ids=ids, readers=readers, expected=round(deltas * seconds))
                running = followed(reading)
                running.wait_until_ready()
            found = running.result()
            took = cost.read(here.client, workers[0].pid).since(before)
            api_seconds = cost.cpu_seconds(api.pid) - api_before
    return {
        "p50_ms": found.p50_ms,
        "p99_ms": found.p99_ms,
        "deltas": float(found.deltas),
        "missing": float(found.missing),
        "api_share": api_seconds / seconds,
        "worker_share": took.worker_cpu_seconds / seconds,
        "redis_share": took.redis_cpu_seconds / seconds,
    }


def measure(asked: argparse.Namespace) -> Found:
    one = partial(streamed, jobs=asked.jobs, readers=asked.readers, deltas=asked.deltas, seconds=asked.seconds)
    samples = by_turns({OURS: one}, rounds=asked.rounds)
    return Found(
        name="streams",
        title="Streams",
        columns=COLUMNS,
        samples=samples.of,
        targets=[
            Target(text="added latency p50, ms", value=samples.median(OURS, "p50_ms"), bound=50, wanted="at most"),
            Target(text="missing deltas", value=samples.median(OURS, "missing"), bound=0, wanted="at most"),
        ],
        options={
            "jobs": asked.jobs,
            "readers": asked.readers,
            "deltas_per_second": asked.deltas,
            "seconds": asked.seconds,
        },
    )


if __name__ == "__main__":
    reader = options(__doc__, rounds=1)
    reader.add_argument("--jobs", type=int, default=50)
    reader.add_argument("--readers", type=int, default=1000, help="Of all streams together.")
    reader.add_argument("--deltas", type=float, default=200.0, help="A second, of each stream.")
    reader.add_argument("--seconds", type=float, default=10.0)
    raise SystemExit(run(measure, reader.parse_args()))
