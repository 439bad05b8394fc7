"""How long one job takes to reach the endpoint when nothing else is to be done: `python -m benchmarks.latency`.

Jobs come one at a time, with pauses between. Ours are sent over the real HTTP API, those of peers by their own clients,
which spares them a web layer. Of ours, `written` counts from when the record was made.
"""

from __future__ import annotations

import argparse
import json
from functools import partial
from typing import Protocol

import requests

from benchmarks.contestant import Contestant, Paced, Workers
from benchmarks.found import Bars, Column, Found, Target, Values
from benchmarks.peer import PEERS
from benchmarks.place import Place, place
from benchmarks.respool_jobs import Respool
from benchmarks.rounds import by_turns, tell
from benchmarks.scenario import options, run, takes_part
from benchmarks.upstream import Upstream
from jobs import keys
from tests.fakes.waiting import wait_until

OURS = Respool()
COLUMNS = (
    Column(key="sent_p50", title="sent → endpoint p50, ms", digits=1),
    Column(key="sent_p99", title="p99, ms", digits=1),
    Column(key="written_p50", title="written → endpoint p50, ms", digits=1),
    Column(key="written_p99", title="p99, ms", digits=1),
    Column(key="bare_p50", title="one bare POST p50, ms", digits=1),
)


class Pacer(Contestant, Paced, Protocol):
    """Who can be sent one job at a time, and works it off."""


def reached(contestant: Pacer, *, jobs: int, pause_seconds: float) -> Values:
    with place("--arrivals") as here, contestant.working(here, Workers()) as workers:
        contestant.preload(here, 1)  # whatever is done with the first job alone
        here.upstream.wait(1, workers=workers)
        sent = dict(contestant.send_each(here, jobs, pause_seconds=pause_seconds))
        wait_until(lambda: sent.keys() <= here.upstream.arrivals().keys())
        arrivals = {mark: at for mark, at in here.upstream.arrivals().items() if mark in sent}
        times = [1000 * (arrivals[mark][0] - at) for mark, at in sent.items()]
        return {**_quantiles("sent", times), **_written(here, arrivals)}


def _written(here: Place, arrivals: dict[str, tuple[float, float]]) -> Values:
    """From a record's `created` to its arrival; nothing for peers, which have no records."""
    times = []
    for key in here.client.scan_iter(match=keys.job("*"), count=1000):
        request, created = here.client.hmget(key, "request", "created")
        if request and created:
            mark = json.loads(request)["metadata"]["mark"]
            if mark in arrivals:
                times.append(1000 * (arrivals[mark][1] - int(created) / 1e6))
    return _quantiles("written", times) if times else {}


def bare(*, jobs: int) -> Values:
    """What is left of a latency if nothing is kept: a POST straight to the endpoint."""
    with place() as here, requests.Session() as session:
        session.trust_env = False
        times = [_seconds(session, here.upstream) * 1000 for _ in range(jobs)]
        return {"bare_p50": sorted(times)[len(times) // 2]}


def _seconds(session: requests.Session, upstream: Upstream) -> float:
    answer = session.post(f"{upstream.url}/v1/responses", data=b"{}", timeout=60)
    return answer.elapsed.total_seconds()


def _quantiles(name: str, times: list[float]) -> dict[str, float]:
    found = sorted(times)
    return {f"{name}_p50": found[len(found) // 2], f"{name}_p99": found[int(len(found) * 0.99)]}


def measure(asked: argparse.Namespace) -> Found:
    measures = {}
    contestants: tuple[Pacer, ...] = (OURS, *PEERS)
    for contestant in contestants:
        if not takes_part(asked, contestant.name):
            continue
        if missing := contestant.missing():
            tell(f"{contestant.name}: skipped, {missing}")
            continue
        measures[contestant.name] = partial(reached, contestant, jobs=asked.jobs, pause_seconds=asked.pause)
    measures["bare POST"] = partial(bare, jobs=asked.jobs)
    samples = by_turns(measures, rounds=asked.rounds)

    def target(text: str, key: str, bound: float) -> Target:
        return Target(text=text, value=samples.median(OURS.name, key), bound=bound, wanted="at most", digits=1)

    return Found(
        name="latency",
        title="Idle latency",
        columns=COLUMNS,
        samples=samples.of,
        targets=[
            target("POST sent → endpoint reached, p50, ms", "sent_p50", 7),
            target("POST sent → endpoint reached, p99, ms", "sent_p99", 15),
            target("record written → endpoint reached, p50, ms", "written_p50", 4.5),
        ],
        bars=[Bars(key="sent_p50", title="Sent → endpoint reached, p50, ms", better="shorter")],
        options={"jobs": asked.jobs, "pause_seconds": asked.pause, "rounds": asked.rounds},
    )


if __name__ == "__main__":
    reader = options(__doc__, rounds=3)
    reader.add_argument("--jobs", type=int, default=200)
    reader.add_argument("--pause", type=float, default=0.05, help="Seconds between two jobs.")
    raise SystemExit(run(measure, reader.parse_args()))
