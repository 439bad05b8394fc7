"""Ours as a contestant: jobs come over the real HTTP API, and each owes a webhook when it ends."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import requests

from benchmarks.child import Child
from benchmarks.contestant import Workers
from benchmarks.load import Load, loaded
from benchmarks.peers.work import FIRST_PACED, MODEL, mark_of
from benchmarks.place import Place
from benchmarks.service import HEADERS, Service, completed, job_body, paused

CLIENTS = 16
WARMING = 10
"""Jobs that find nothing connected yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Respool:
    """`with_webhooks`: each job has a receiver, so that what it is owed is written with its end."""

    name: str = "respool"
    with_webhooks: bool = True
    processes: int = 1
    settings: Mapping[str, str] = field(default_factory=dict)

    def missing(self) -> str | None:
        return None

    def hook(self, place: Place) -> str | None:
        return f"{place.upstream.url}/hook" if self.with_webhooks else None

    def preload(self, place: Place, count: int) -> float:
        with Service(place=place).api() as (url, _):
            return loaded(submits(url, count, hook=self.hook(place), clients=CLIENTS)).seconds

    def send_each(self, place: Place, count: int, *, pause_seconds: float) -> list[tuple[str, float]]:
        sent = []
        with Service(place=place).api() as (url, _), requests.Session() as session:
            session.trust_env = False
            for number in range(FIRST_PACED - WARMING, FIRST_PACED + count):
                mark = mark_of(number)
                body = job_body(mark, hook=self.hook(place))
                time.sleep(pause_seconds * random.uniform(0.5, 1.5))
                at = time.monotonic()
                session.post(f"{url}/v1/jobs", data=body, headers=HEADERS, timeout=60).raise_for_status()
                sent.append((mark, at))
        return sent[WARMING:]

    @contextmanager
    def working(self, place: Place, workers: Workers) -> Iterator[Sequence[Child]]:
        settings = {**self.settings, **({} if workers.width is None else {"slots": str(workers.width)})}
        with ExitStack() as stack:
            with paused(place.client, MODEL):  # so that the first of them waits for the last
                service = Service(place=place, settings=settings)
                children = stack.enter_context(service.workers(self.processes * workers.processes))
            yield children

    def answered(self, place: Place) -> int:
        return completed(place.client)


def submits(
    url: str, count: int, *, hook: str | None, clients: int, keep_ids: bool = False, stream: bool = False
) -> Load:
    """A load of jobs, each with a mark of its own."""
    return Load(
        url=f"{url}/v1/jobs",
        method="POST",
        headers=HEADERS,
        body=job_body("MARK", hook=hook, stream=stream).decode(),
        clients=clients,
        count=count,
        keep_ids=keep_ids,
    )
