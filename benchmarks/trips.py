"""What a round trip to Redis takes, alone and shared: `python -m benchmarks.trips`."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial

import redis

from benchmarks.found import Column, Found, Values
from benchmarks.place import place
from benchmarks.rounds import by_turns
from benchmarks.scenario import options, run

PIPELINE = 100
COLUMNS = (
    Column(key="micros", title="µs a command"),
    Column(key="cpu_micros", title="CPU of the client, µs a command"),
)


def timed(send: Callable[[redis.Redis, int], None], *, commands: int) -> Values:
    with place() as here:
        send(here.client, PIPELINE)
        started, cpu = time.perf_counter(), time.process_time()
        send(here.client, commands)
        passed, took = time.perf_counter() - started, time.process_time() - cpu
    return {"micros": 1e6 * passed / commands, "cpu_micros": 1e6 * took / commands}


def alone(client: redis.Redis, commands: int) -> None:
    for _ in range(commands):
        client.set("measured", "1")


def together(client: redis.Redis, commands: int) -> None:
    for _ in range(commands // PIPELINE):
        with client.pipeline(transaction=False) as pipeline:
            for _ in range(PIPELINE):
                pipeline.set("measured", "1")
            pipeline.execute()


def measure(asked: argparse.Namespace) -> Found:
    measures = {
        "one command a trip": partial(timed, alone, commands=asked.commands),
        f"{PIPELINE} commands a trip": partial(timed, together, commands=asked.commands),
    }
    return Found(
        name="trips",
        title="Trips to Redis",
        columns=COLUMNS,
        samples=by_turns(measures, rounds=asked.rounds).of,
        options={"commands": asked.commands, "rounds": asked.rounds},
    )


if __name__ == "__main__":
    reader = options(__doc__, rounds=5)
    reader.add_argument("--commands", type=int, default=10_000)
    raise SystemExit(run(measure, reader.parse_args()))
