"""How long programs take to start, and what they hold when they have nothing to do: `python -m benchmarks.start`."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

from benchmarks import cost
from benchmarks.child import CLEAN
from benchmarks.found import Column, Found, Target, Values
from benchmarks.place import place
from benchmarks.rounds import by_turns
from benchmarks.scenario import options, run
from benchmarks.service import Service, python_path

HELP, WORKER, API = "respool --help", "worker", "API"
SETTLE_SECONDS = 3.0
COLUMNS = (
    Column(key="seconds", title="until it answers or is ready, s", digits=2),
    Column(key="cpu", title="CPU until then, s", digits=2),
    Column(key="megabytes", title="memory of a process, idle, MB", digits=1),
)


def helped() -> Values:
    environ = {**CLEAN, "PYTHONPATH": python_path()}
    started = time.monotonic()
    subprocess.run([sys.executable, "-m", "respool", "--help"], env=environ, check=True, capture_output=True)
    return {"seconds": time.monotonic() - started}


def worker() -> Values:
    with place() as here:
        started = time.monotonic()
        with Service(place=here).workers() as (child,):
            seconds, cpu = time.monotonic() - started, cost.cpu_seconds(child.pid)
            time.sleep(SETTLE_SECONDS)
            return {"seconds": seconds, "cpu": cpu, "megabytes": _largest(child.pid)}


def api() -> Values:
    with place() as here:
        started = time.monotonic()
        with Service(place=here).api(processes=1) as (_, child):
            seconds, cpu = time.monotonic() - started, cost.cpu_seconds(child.pid)
            time.sleep(SETTLE_SECONDS)
            return {"seconds": seconds, "cpu": cpu, "megabytes": _largest(child.pid)}


def _largest(pid: int) -> float:
    """Of the processes of one program, the one that works: the others only watch over it."""
    return max(cost.own_memory_bytes(each) for each in cost.family(pid)) / 2**20


def measure(asked: argparse.Namespace) -> Found:
    samples = by_turns({HELP: helped, WORKER: worker, API: api}, rounds=asked.rounds)

    def target(text: str, name: str, key: str, bound: float) -> Target:
        return Target(text=text, value=samples.median(name, key), bound=bound, wanted="at most")

    return Found(
        name="start",
        title="Start and rest",
        columns=COLUMNS,
        samples=samples.of,
        targets=[
            target("`respool --help`, s", HELP, "seconds", 0.3),
            target("worker ready, s", WORKER, "seconds", 2),
            target("memory of an idle API process, MB", API, "megabytes", 90),
            target("memory of an idle worker process, MB", WORKER, "megabytes", 80),
        ],
        options={"rounds": asked.rounds},
    )


if __name__ == "__main__":
    raise SystemExit(run(measure, options(__doc__, rounds=5).parse_args()))
