"""What the web layer takes: submits and polls of 32 clients, beside those of others: `python -m benchmarks.submit`.

Ours and the others run under gunicorn with gevent in as many processes; the clients are one process that costs little.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from benchmarks import cost
from benchmarks.found import Bars, Column, Found, Target, Values
from benchmarks.load import Load, loaded
from benchmarks.peer import CELERY, CELERY_TUNED
from benchmarks.peers.work import body_of
from benchmarks.place import Place, place
from benchmarks.respool_jobs import submits
from benchmarks.rounds import by_turns, tell
from benchmarks.scenario import options, run, takes_part
from benchmarks.service import HEADERS, Service, completed
from benchmarks.web import Serving, hello_web, peer_web, respool_web, served
from tests.fakes.waiting import wait_until

POLLED = 200
SUBMIT, POLL, POLL_QUEUED = "respool, submit", "respool, poll of an ended job", "respool, poll of a queued job"
HELLO = "hello, no work"
COLUMNS = (
    Column(key="rate", title="requests/s"),
    Column(key="p50_ms", title="p50, ms", digits=1),
    Column(key="p99_ms", title="p99, ms", digits=1),
    Column(key="cpu_ms", title="CPU of the web processes, ms a request", digits=2),
    Column(key="redis_us", title="Redis CPU, µs a request"),
    Column(key="trips", title="reads from clients a request", digits=2),
)
Asking = Callable[[Place, Serving], Load]


def measured(serving: Callable[[Place], Serving], asking: Asking) -> Values:
    """The load that `asking` makes of what is served; before it a short one, after which all is connected."""
    with place() as here, served(serving(here), folder=here.folder) as (server, child):
        load = asking(here, server)
        loaded(_brief(load))
        before = cost.read(here.client, child.pid)
        found = loaded(load)
        took = cost.read(here.client, child.pid).since(before)
        return {
            "rate": found.rate(load.count),
            "p50_ms": found.p50_ms,
            "p99_ms": found.p99_ms,
            "cpu_ms": 1e3 * took.worker_cpu_seconds / load.count,
            "redis_us": 1e6 * took.redis_cpu_seconds / load.count,
            "trips": took.trips / load.count,
        }


def _brief(load: Load) -> Load:
    return replace(load, count=min(load.count, 4 * load.clients))


def submitting(here: Place, server: Serving, *, count: int, clients: int) -> Load:
    return submits(server.url, count, hook=f"{here.upstream.url}/hook", clients=clients)


def polling_queued(here: Place, server: Serving, *, count: int, clients: int) -> Load:
    ids = loaded(submits(server.url, POLLED, hook=f"{here.upstream.url}/hook", clients=8, keep_ids=True)).ids
    return _polling(server, ids, count=count, clients=clients)


def polling_ended(here: Place, server: Serving, *, count: int, clients: int) -> Load:
    load = polling_queued(here, server, count=count, clients=clients)
    with Service(place=here).workers():
        wait_until(lambda: completed(here.client) >= POLLED, seconds=60)
    return load


def _polling(server: Serving, ids: list[str], *, count: int, clients: int) -> Load:
    url = f"{server.url}/v1/jobs/MARK"
    return Load(url=url, method="GET", headers=HEADERS, marks=ids, clients=clients, count=count)


def sending_to_peer(_: Place, server: Serving, *, count: int, clients: int) -> Load:
    headers = {"Content-Type": "application/json"}
    url, body = f"{server.url}/jobs", body_of("MARK")
    return Load(url=url, method="POST", headers=headers, body=body, clients=clients, count=count)


def greeting(_: Place, server: Serving, *, count: int, clients: int) -> Load:
    return Load(url=f"{server.url}/hello", method="GET", clients=clients, count=count)


def measure(asked: argparse.Namespace) -> Found:
    servings: dict[str, tuple[Callable[[Place], Serving], Callable[..., Load]]] = {
        SUBMIT: (respool_web, submitting),
        POLL: (respool_web, polling_ended),
        POLL_QUEUED: (respool_web, polling_queued),
        HELLO: (hello_web, greeting),
    }
    for peer in (CELERY, CELERY_TUNED):
        if missing := peer.missing():
            tell(f"{peer.name}: skipped, {missing}")
        else:
            servings[peer.name] = (partial(peer_web, peer), sending_to_peer)
    measures = {
        name: partial(measured, serving, partial(asking, count=asked.requests, clients=asked.clients))
        for name, (serving, asking) in servings.items()
        if takes_part(asked, name)
    }
    samples = by_turns(measures, rounds=asked.rounds)

    def against(text: str, name: str, other: str, bound: float) -> Target:
        return Target(text=text, value=samples.ratio(name, other, "rate"), bound=bound, wanted="at least")

    return Found(
        name="submit",
        title="Submit and poll",
        columns=COLUMNS,
        samples=samples.of,
        targets=[
            against("submits/s against Celery's apply_async, defaults, behind Flask", SUBMIT, CELERY.name, 2.5),
            Target(text="submit p99, ms", value=samples.median(SUBMIT, "p99_ms"), bound=60, wanted="at most"),
            against("polls/s against hello", POLL, HELLO, 0.5),
        ],
        bars=[Bars(key="rate", title="Requests a second, two web processes", better="longer")],
        options={"requests": asked.requests, "clients": asked.clients, "rounds": asked.rounds},
    )


if __name__ == "__main__":
    reader = options(__doc__, rounds=3)
    reader.add_argument("--requests", type=int, default=5000)
    reader.add_argument("--clients", type=int, default=32)
    raise SystemExit(run(measure, reader.parse_args()))
