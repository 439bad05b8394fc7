"""Stores that are filled as the service fills them, by the scripts of its own, many in a round trip."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import redis
from requests.structures import CaseInsensitiveDict

from benchmarks.answers import ANSWER, MODEL
from jobs import scripts
from jobs.claims import Claim
from jobs.coalesce import Coalescer
from jobs.new_job import NewJob
from jobs.record import new_number
from jobs.runs import Runs
from jobs.store import JobStore, Sameness
from tests.factories import new_job
from tests.fakes.bench import Bench
from worker.responses_client import Answer
from worker.results import Results

BODY_BYTES = 505
BATCH = 256
PROJECTS = 10
FILLER = "filler"
LATER = {"finish": b"finished", "mark_sent": 1, "throttle": 1}
"""What a call that is only collected answers."""


def body() -> bytes:
    """A request of BODY_BYTES with words in it, as people write them."""
    text = "Tell me in one sentence what is to be seen on the attached picture of a harbour in the evening. " * 8
    request = {"model": MODEL, "input": "", "metadata": {}, "stream": False}
    return json.dumps(request | {"input": text[: BODY_BYTES - len(json.dumps(request))]}).encode()


def filled_job(place: int) -> NewJob:
    return new_job(
        number=new_number(),
        project=f"p{place % PROJECTS}",
        body=body(),
        echo=json.dumps({"model": MODEL, "stream": False, "metadata": {}}),
    )


@dataclass(slots=True)
class Collected:
    """Stands where calls are coalesced; keeps them until they are sent together."""

    calls: list[scripts.Call] = field(default_factory=list)

    def run(self, call: scripts.Call) -> Any:
        self.calls.append(call.encoded())
        return LATER[call.name]


def queue_up(client: redis.Redis, count: int) -> Iterator[str]:
    """The numbers of new jobs, each once it is queued."""
    store = JobStore(client, max_queued_bytes=2**50)
    for first in range(0, count, BATCH):
        jobs = [filled_job(place) for place in range(first, min(first + BATCH, count))]
        scripts.run_all(client, [store.submission(job, Sameness(digest=job.number)) for job in jobs])
        yield from (job.number for job in jobs)


def end(bench: Bench, count: int) -> list[str]:
    """The numbers of new jobs that were all worked off, each with the endpoint's small answer."""
    numbers = []
    for first in range(0, count, BATCH):
        numbers += list(queue_up(bench.client, min(BATCH, count - first)))
        bench.beat(FILLER, slots=BATCH)
        bench.dispatch()
        collected = Collected()
        for claim in bench.claim(FILLER):
            finish(collected, bench.client, claim)
        scripts.run_all(bench.client, collected.calls)
    bench.workers.leave(FILLER)
    return numbers


def finish(collected: Collected, client: redis.Redis, claim: Claim) -> None:
    """Has the endpoint's answer judged and written as a worker does."""
    runs = Runs(cast(Coalescer, collected), client, worker=FILLER)
    answer = Answer(http_status=200, headers=CaseInsensitiveDict(), body=ANSWER)
    Results(runs=runs, prices={}).take(claim, answer)
