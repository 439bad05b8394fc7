"""Many long calls at once in one worker process: `python -m benchmarks.in_flight --calls 5000 --seconds 10 [--tls]`.

The clock runs from the first call until the last result can be read. What a call holds is the growth of the worker
process from then to its greatest size, over the calls.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import redis

from benchmarks import cost
from benchmarks.contestant import Contestant, Workers
from benchmarks.found import Column, Found, Target, Values
from benchmarks.peer import BULLMQ, CELERY_TUNED, DRAMATIQ, TASKIQ
from benchmarks.place import place
from benchmarks.respool_jobs import Respool
from benchmarks.rounds import by_turns, tell
from benchmarks.scenario import options, run, takes_part
from jobs import keys
from jobs.workers import LEASE_SECONDS
from tests.fakes.certificates import make_certificate
from tests.fakes.waiting import wait_until

LOOK_SECONDS = 0.2
OURS = Respool()
COLUMNS = (
    Column(key="wall", title="wall, s", digits=1),
    Column(key="most_open", title="most at once"),
    Column(key="readable", title="last answer → all readable, s", digits=2),
    Column(key="kilobytes", title="kB a call", digits=1),
    Column(key="megabytes", title="most memory, MB"),
    Column(key="least_lease", title="least left of the lease, s", digits=1),
    Column(key="cpu_ms", title="worker CPU, ms a call", digits=2),
)


@dataclass(slots=True, kw_only=True)
class Watch:
    """The greatest size of a process, and the least that was left of the leases of live workers."""

    most_bytes: int = 0
    least_lease: float = LEASE_SECONDS
    over: threading.Event = field(default_factory=threading.Event)

    def look(self, pid: int, client: redis.Redis) -> None:
        while not self.over.wait(LOOK_SECONDS):
            self.most_bytes = max(self.most_bytes, cost.memory_bytes(pid))
            for _, until in client.zrange(keys.WORKERS, 0, -1, withscores=True):
                self.least_lease = min(self.least_lease, until / 1000 - time.time())


@contextmanager
def watched(pid: int, client: redis.Redis) -> Iterator[Watch]:
    watch = Watch()
    thread = threading.Thread(target=watch.look, args=(pid, client), daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        watch.over.set()
        thread.join()


def held(contestant: Contestant, *, calls: int, endpoint: list[str]) -> Values:
    with place(*endpoint) as here:
        contestant.preload(here, calls)
        with contestant.working(here, Workers(width=calls)) as workers, watched(workers[0].pid, here.client) as watch:
            first = here.upstream.wait_for_first(workers=workers)
            at_first, cpu = cost.memory_bytes(workers[0].pid), cost.cpu_seconds(workers[0].pid)
            last = here.upstream.wait(calls, workers=workers)
            wait_until(lambda: contestant.answered(here) >= calls, seconds=300)
            readable = time.monotonic()
            cpu = cost.cpu_seconds(workers[0].pid) - cpu
        values = {
            "wall": readable - first.first_at,
            "most_open": float(last.most_open),
            "readable": readable - last.last_at,
            "kilobytes": (watch.most_bytes - at_first) / 1024 / calls,
            "megabytes": watch.most_bytes / 2**20,
            "cpu_ms": 1000 * cpu / calls,
        }
        return values | ({"least_lease": watch.least_lease} if isinstance(contestant, Respool) else {})


def measure(asked: argparse.Namespace) -> Found:
    with TemporaryDirectory() as folder:
        endpoint = ["--delay", str(asked.seconds)]
        contestants: tuple[Contestant, ...] = (OURS, CELERY_TUNED, TASKIQ, DRAMATIQ, BULLMQ)
        if asked.tls:
            made = make_certificate(Path(folder), name="IP:127.0.0.1")
            endpoint += ["--certificate", str(made.file), "--key", str(made.key)]
            contestants = (replace(OURS, settings={"upstream_ca_file": str(made.file)}),)
        measures = {}
        for contestant in contestants:
            if not takes_part(asked, contestant.name):
                continue
            if missing := contestant.missing():
                tell(f"{contestant.name}: skipped, {missing}")
                continue
            measures[contestant.name] = partial(held, contestant, calls=asked.calls, endpoint=endpoint)
        samples = by_turns(measures, rounds=asked.rounds)

    def target(text: str, key: str, bound: float, wanted: Literal["at least", "at most"] = "at most") -> Target:
        return Target(text=text, value=samples.median(OURS.name, key), bound=bound, wanted=wanted)

    kind = "TLS" if asked.tls else "plain HTTP"
    overhead = 6 if asked.calls <= 5000 else 10
    return Found(
        name=f"in-flight-{asked.calls}{'-tls' if asked.tls else ''}",
        title=f"{asked.calls:,} calls of {asked.seconds:g} s at once over {kind}",
        columns=COLUMNS,
        samples=samples.of,
        targets=[
            target("wall, s", "wall", asked.seconds + overhead),
            target("last answer → every result readable, s", "readable", 1),
            target("kB a call", "kilobytes", 80 if asked.tls else 45),
            target("least left of the lease, s (a beat is due when 5 are left)", "least_lease", 4, "at least"),
            target("calls at once", "most_open", asked.calls, "at least"),
        ],
        options={"calls": asked.calls, "seconds": asked.seconds, "rounds": asked.rounds},
    )


if __name__ == "__main__":
    reader = options(__doc__, rounds=1)
    reader.add_argument("--calls", type=int, default=5000)
    reader.add_argument("--seconds", type=float, default=10.0, help="What each call takes.")
    reader.add_argument("--tls", action="store_true", help="Over TLS; ours alone.")
    raise SystemExit(run(measure, reader.parse_args()))
