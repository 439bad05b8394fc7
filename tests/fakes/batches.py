"""Batches put straight into the store, and a runner that moves them on when a test says so."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import redis

from jobs.batches.lines import Lines, line_number
from jobs.batches.record import Batch, NewBatch
from jobs.batches.store import Batches
from jobs.claims import Claim
from jobs.closings import End
from jobs.file_record import File
from jobs.files import Files
from jobs.limits import Limits
from jobs.record import Job
from jobs.settings import Settings
from jobs.store import JobStore
from tests.factories import MODEL
from tests.fakes.bench import ANSWERED, FAILED, FAILURE, Bench
from tests.fakes.files import put, store_at
from worker.batches.runner import BatchRunner
from worker.batches.work import UNBOUNDED, open_runner

USAGE = {"input_tokens": 2, "input_tokens_details": {"cached_tokens": 1}, "output_tokens": 3, "total_tokens": 5}


def request_line(number: int, *, model: str = MODEL, custom_id: str | None = None, **body: Any) -> dict[str, Any]:
    """A line that asks for something short; `body` is more of its request."""
    return {
        "custom_id": f"line {number}" if custom_id is None else custom_id,
        "method": "POST",
        "url": "/v1/responses",
        "body": {"model": model, "input": f"hello {number}"} | body,
    }


def as_file(lines: Sequence[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


@dataclass(slots=True, kw_only=True)
class BatchBench:
    """`settings` are of the runners that it makes."""

    client: redis.Redis
    folder: Path
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def files(self) -> Files:
        return store_at(self.folder, self.client, most_files=UNBOUNDED)

    @property
    def batches(self) -> Batches:
        return Batches(self.client)

    @property
    def store(self) -> JobStore:
        return JobStore(self.client, max_queued_bytes=2**40)

    def runner(self, name: str = "r1") -> BatchRunner:
        settings = Settings(files_folder=self.folder, **self.settings)
        return open_runner(settings, Limits(), self.client, self.files, worker=name)

    def put(self, data: bytes, *, project: str = "default", **changes: Any) -> File:
        return put(self.files, data, project=project, purpose="batch", filename="in.jsonl", **changes)

    def create(self, lines: Sequence[dict[str, Any]] | bytes, **changes: Any) -> Batch:
        """A new batch over a new file of these lines."""
        data = lines if isinstance(lines, bytes) else as_file(lines)
        project = changes.setdefault("project", "default")
        values = {"api_key": "key_test", "input_file_id": self.put(data, project=project).id}
        return self.batches.create(NewBatch(**values | changes))

    def begun(self, count: int, **changes: Any) -> Batch:
        """A new batch whose lines have become jobs."""
        batch = self.create([request_line(n) for n in range(1, count + 1)], **changes)
        self.work()
        return self.now(batch)

    def work(self, runner: BatchRunner | None = None) -> None:
        """Moves batches on until none is due and nothing is left to do for now."""
        moved = runner or self.runner()
        while moved.step() < 0.1:
            pass

    def wake(self, batch: Batch) -> None:
        """Lets its rest be over."""
        self.client.zadd("{respool}:batches_open", {batch.number: 1})

    def go_on(self, batch: Batch) -> Batch:
        """The batch after it was looked at once more, and whatever follows at once."""
        self.wake(batch)
        self.work()
        return self.now(batch)

    def now(self, batch: Batch) -> Batch:
        return self.batches.get(batch.id, project=None)

    def numbers(self, batch: Batch, count: int) -> list[str]:
        return [line_number(batch.number, line) for line in range(1, count + 1)]

    def jobs(self, batch: Batch, count: int) -> list[Job | None]:
        return self.store.get_all(self.numbers(batch, count))

    @property
    def lines(self) -> Lines:
        return Lines(self.client, self.store)

    def content(self, file_id: str | None) -> list[dict[str, Any]]:
        """What a file that a batch wrote tells; nothing for None."""
        if file_id is None:
            return []
        with self.files.open(self.files.get(file_id, project=None)) as file:
            return [json.loads(line) for line in file]


def finish(bench: Bench, numbers: Sequence[str], *, failing: Collection[str] = ()) -> None:
    """Lets these jobs, which wait, be dispatched, claimed and ended; those that are `failing` as the endpoint's 400."""
    claims = {claim.number: claim for claim in start(bench)}
    for number in numbers:
        if number in failing:
            bench.runs().finish(claims[number], FAILURE, replace(FAILED, http_status=400))
        else:
            answer(bench, claims[number])


def start(bench: Bench) -> list[Claim]:
    """All that waits is under way."""
    bench.beat("w1", slots=10_000)
    bench.dispatch()
    return bench.claim()


def answer(bench: Bench, claim: Claim) -> None:
    """The attempt is answered, for 7 nano."""
    end = End(status="completed", response=json.dumps({"id": f"resp_{claim.number}"}).encode(), usage=USAGE)
    bench.runs().finish(claim, end, replace(ANSWERED, usage=USAGE, nano=7))
