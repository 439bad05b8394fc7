"""The store's parts side by side, and workers that do only what a test tells them."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import redis

from jobs import keys
from jobs.coalesce import Coalescer
from jobs.lanes import Dispatched, Lanes
from jobs.limits import Limits
from jobs.record import Job
from jobs.runs import Claim, Closing, End, Runs
from jobs.store import JobStore
from jobs.workers import Workers
from tests.factories import new_job, unique

ABOUT: dict[str, str | int | float] = {"host": "here", "pid": 1, "started_at": 1.5}
ANSWERED = Closing(outcome="completed", delivery="answered", may_be_billed=True)
FAILED = Closing(outcome="failed", delivery="sent", may_be_billed=True)
UNSENT = Closing(outcome="snoozed", delivery="not_sent", may_be_billed=False)
COMPLETED = End(status="completed", response=b'{"id":"resp"}')
FAILURE = End(status="failed", error={"code": "refused", "message": "no", "retryable": False})


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One message as Celery's consumer sees it."""

    numbers: list[str]
    dispatch: str
    message: dict[str, Any]


@dataclass(slots=True)
class Bench:
    client: redis.Redis
    coalescer: Coalescer
    limits: Limits = field(default_factory=Limits)

    @property
    def store(self) -> JobStore:
        return JobStore(self.client, max_queued_bytes=10**9)

    @property
    def workers(self) -> Workers:
        return Workers(self.client)

    def submit(self, **changes: Any) -> str:
        """The number of a new job."""
        return self.store.submit(new_job(**changes), unique()).number

    def job(self, number: str) -> Job:
        return self.store.get(number, project=None)

    def beat(self, worker: str, *, slots: int = 10) -> list[str]:
        return self.workers.beat(worker, slots=slots, about=ABOUT)

    def dispatch(self, worker: str = "leader") -> Dispatched:
        return Lanes(self.client, self.limits).dispatch(worker)

    def releases(self, worker: str = "w1") -> list[Release]:
        """Takes the messages of the worker's queue, oldest first."""
        found = []
        while raw := self.client.rpop(keys.worker_queue(worker)):
            message = json.loads(raw)
            numbers, dispatch = _body(message)
            found.append(Release(numbers=numbers, dispatch=str(dispatch), message=message))
        return found

    def runs(self, worker: str = "w1") -> Runs:
        return Runs(self.coalescer, self.client, worker=worker)

    def claim(self, worker: str = "w1", *, nonce: str = "n") -> list[Claim]:
        """Claims all that the worker's messages released."""
        runs = self.runs(worker)
        return [
            claim
            for release in self.releases(worker)
            for claim in runs.claim(release.numbers, dispatch=release.dispatch, nonce=nonce)
        ]

    def run_one(self, worker: str = "w1", **changes: Any) -> Claim:
        """A new job, under way at the worker."""
        number = self.submit(**changes)
        self.beat(worker)
        self.dispatch()
        (claim,) = [claim for claim in self.claim(worker) if claim.number == number]
        return claim

    def kill(self, worker: str) -> None:
        """Lets the worker's lease run out, as its death does."""
        self.client.zadd(keys.WORKERS, {worker: 1})

    def sweep(self) -> Any:
        """A sweep that is not held up by the one before, as if that had been just now."""
        self.client.delete(keys.SWEEP)
        self.client.hset(keys.COUNTERS, "swept", self.client.time()[0] * 1000)
        return self.workers.sweep()

    def make_due(self, index: str) -> None:
        """Brings everything in a time index to its time."""
        self.client.zunionstore(keys.PREFIX + index, {keys.PREFIX + index: 0})

    def slots(self, lane: str) -> set[str]:
        return {number.decode() for number in self.client.smembers(keys.PREFIX + "lane_slots:" + lane)}

    def all_keys(self) -> set[str]:
        return {key.decode() for key in self.client.scan_iter(count=1000)}

    def count(self, name: str) -> int:
        return int(self.client.hget(keys.COUNTERS, name) or 0)


def _body(message: dict[str, Any]) -> Any:
    text = message["body"]
    if message["properties"].get("body_encoding") == "base64":
        text = base64.b64decode(text).decode()
    return json.loads(text)[0]


@contextmanager
def running_bench(client: redis.Redis, *, limits: Limits | None = None) -> Iterator[Bench]:
    """A bench over the client; its coalescer runs for as long as the block lasts."""
    coalescer = Coalescer(client)
    coalescer.start()
    try:
        yield Bench(client, coalescer, limits or Limits())
    finally:
        coalescer.close()
