"""The store's parts side by side, and workers that do only what a test tells them."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import redis

from jobs import keys
from jobs.claims import Claim
from jobs.closings import Closing, End
from jobs.coalesce import Coalescer
from jobs.lane_states import LaneStates
from jobs.lanes import Dispatched, Lanes
from jobs.limits import LaneLimits, Limits
from jobs.projects import Projects
from jobs.record import Job
from jobs.runs import Runs
from jobs.store import JobStore
from jobs.waiting import WaitingRoom
from jobs.workers import Workers
from tests.factories import new_job, unique

ABOUT: dict[str, str | int | float] = {"host": "here", "pid": 1, "started_at": 1.5}
ANSWERED = Closing(outcome="completed", delivery="answered", may_be_billed=True)
FAILED = Closing(outcome="failed", delivery="sent", may_be_billed=True)
UNSENT = Closing(outcome="snoozed", delivery="not_sent", may_be_billed=False)
COMPLETED = End(status="completed", response=b'{"id":"resp"}')
FAILURE = End(status="failed", error={"code": "refused", "message": "no", "retryable": False})


def answered(total_tokens: int, *, nano: int = 0, **changes: Any) -> Closing:
    """An attempt that was answered and told its usage; `nano` is what that cost."""
    usage = {"input_tokens": total_tokens, "output_tokens": 0, "total_tokens": total_tokens}
    return replace(ANSWERED, usage=usage, nano=nano, **changes)


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
    ageing_seconds: float = 60.0

    @property
    def store(self) -> JobStore:
        return JobStore(self.client, max_queued_bytes=10**9, ageing_seconds=self.ageing_seconds)

    @property
    def projects(self) -> Projects:
        return Projects(self.client)

    @property
    def lanes(self) -> LaneStates:
        return LaneStates(self.client, self.limits)

    @property
    def waiting_room(self) -> WaitingRoom:
        return WaitingRoom(self.client, self.limits, ageing_seconds=self.ageing_seconds)

    @property
    def workers(self) -> Workers:
        return Workers(self.client)

    def submit(self, **changes: Any) -> str:
        """The number of a new job."""
        return self.store.submit(new_job(**changes), unique()).number

    def limit(self, **limits: Any) -> None:
        """Every lane has these limits from now on."""
        self.limits = Limits(default=LaneLimits(**limits))

    def fill(self, count: int, *, slots: int = 1000, **changes: Any) -> list[str]:
        """The numbers of new jobs for the model `m`, which one worker has the slots for."""
        self.beat("w1", slots=slots)
        return [self.submit(**{"model": "m"} | changes) for _ in range(count)]

    def run_all(self, count: int = 1, **changes: Any) -> list[Claim]:
        """New jobs for the model `m`, as many of them under way as may go."""
        self.fill(count, **changes)
        self.dispatch()
        return self.claim()

    def blocked(self, backlog: str = "*:m") -> str:
        """Why the dispatcher last passed over the backlog."""
        return (self.client.hget(keys.backlog(backlog), "blocked") or b"").decode()

    def job(self, number: str) -> Job:
        return self.store.get(number, project=None)

    def beat(self, worker: str, *, slots: int = 10) -> list[str]:
        return self.workers.beat(worker, slots=slots, about=ABOUT).cancelled

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
        return {number.decode() for number in self.client.smembers(keys.lane_slots(lane))}

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
