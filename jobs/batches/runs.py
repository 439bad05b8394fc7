"""A batch as its runner moves it on. Whoever takes a batch has it alone for as long as it renews the lease."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import redis

from jobs import keys, scripts
from jobs.batches.record import BATCH_PREFIX, Batch
from jobs.batches.store import Batches
from jobs.errors import BatchLost, BatchNotFound, OverLimit, QueueFull
from jobs.new_job import NewJob
from jobs.store import JobStore, Sameness

LEASE_SECONDS = 15.0
MOST_TOLD = 10
"""Mistakes of its file, in its event."""

RETENTION_SECONDS = 30 * 86400.0
"""For so long after its end a batch is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a batch was taken up: the number of the last line and the bytes up to its end, and requests so far."""

    line: int
    offset: int
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchEnd:
    """What a batch ended with; `status` is completed, failed, expired or cancelled."""

    status: str
    completed: int = 0
    failed: int = 0
    output_file_id: str | None = None
    error_file_id: str | None = None
    usage: Mapping[str, Any] | None = None
    nano: int = 0
    errors: Sequence[Mapping[str, Any]] = ()


class BatchRuns:
    """`event_seconds`: for how long an event is kept. Every step raises StoreUnavailable, and BatchLost once another
    has the batch or it is no longer in the status of the `batch` that was taken."""

    def __init__(self, client: redis.Redis, store: JobStore, *, runner: str, event_seconds: float) -> None:
        self._client = client
        self._store = store
        self._batches = Batches(client)
        self._runner = runner
        self._event_ms = round(event_seconds * 1000)

    def take(self) -> Batch | None:
        """A batch that is due, if there is one."""
        args: list[scripts.Argument] = [self._runner, _ms(LEASE_SECONDS)]
        number = scripts.run(self._client, scripts.Call(name="take_batch", keys=[keys.BATCHES_OPEN], args=args))
        if number is None:
            return None
        try:
            return self._batches.get(BATCH_PREFIX + number.decode(), project=None)
        except BatchNotFound:
            return None  # its time came in between

    def hold(self, batch: Batch, *, seconds: float = LEASE_SECONDS) -> float:
        """Renews the lease, which then lasts for so long; the store's time in seconds."""
        return int(self._step("hold_batch", batch, batch.status, _ms(seconds))) / 1000

    def rest(self, batch: Batch, *, seconds: float, reason: str = "") -> None:
        """Gives it back until then; `reason` is why its lines wait."""
        self._step("rest_batch", batch, batch.status, _ms(seconds), reason)

    def begin(self, batch: Batch, *, total: int, model: str) -> None:
        self._step("begin_batch", batch, total, model)

    def submit(self, jobs: Sequence[NewJob]) -> list[QueueFull | OverLimit | None]:
        """Submits lines in one round trip; what stood in the way of each. One that was submitted before is none.

        Raises BatchLost, StoreUnavailable.
        """
        calls = [self._store.submission(job, Sameness(digest=""), runner=self._runner) for job in jobs]
        return [self._verdict(answer) for answer in scripts.run_all(self._client, calls)]

    def _verdict(self, answer: Any) -> QueueFull | OverLimit | None:
        if isinstance(answer, redis.RedisError):
            raise answer
        try:
            self._store.refuse(answer[0], answer[1:])
        except (QueueFull, OverLimit) as refusal:
            return refusal
        return None

    def advance(self, batch: Batch, progress: Progress, refusals: Mapping[int, Mapping[str, Any]]) -> None:
        """Records what was taken up, after its jobs were submitted; `refusals` are what Line.refusal is, by line."""
        flat = [word for line, refusal in refusals.items() for word in (line, json.dumps(refusal, ensure_ascii=False))]
        self._step("advance_batch", batch, progress.line, progress.offset, progress.requests, *flat)

    def finalize(self, batch: Batch) -> None:
        self._step("finalize_batch", batch)

    def end(self, batch: Batch, end: BatchEnd) -> None:
        fields = [str(word) for pair in _fields(end).items() for word in pair]
        about = json.dumps(_about(batch, end), ensure_ascii=False, separators=(",", ":"))
        self._step("end_batch", batch, batch.status, end.status, _ms(RETENTION_SECONDS), self._event_ms, about, *fields)

    def close(self, batch: Batch) -> None:
        """Leaves one that has ended to its retention."""
        self._step("close_batch", batch, batch.status)

    def count_running(self, batch: Batch) -> int:
        """How many of its lines have not ended."""
        with scripts.translated():
            count: Any = self._client.scard(keys.batch_running(batch.number))
        return int(count)

    def running(self, batch: Batch) -> dict[str, str]:
        """The statuses of the jobs of its lines that have not ended, by their numbers; what is lost runs no more."""
        with scripts.translated():
            members: Any = self._client.smembers(keys.batch_running(batch.number))
            numbers = [member.decode() for member in members]
            with self._client.pipeline(transaction=False) as pipeline:
                for number in numbers:
                    pipeline.hget(keys.job(number), "status")
                statuses = pipeline.execute()
            found = dict(zip(numbers, statuses, strict=True))
            if lost := [number for number, status in found.items() if status is None]:
                self._client.srem(keys.batch_running(batch.number), *lost)
        return {number: status.decode() for number, status in found.items() if status is not None}

    def unstored(self, numbers: Sequence[str]) -> list[str]:
        """Those of the jobs that are not to be stored."""
        return self._having(numbers, "unstored")

    def shorten(self, numbers: Sequence[str]) -> None:
        """Has those of the jobs that are kept for longer than was asked, since their batch needed them, go in time."""
        found = self._having(numbers, "asked_retention")
        calls = [scripts.Call(name="shorten", keys=[keys.job(number)], args=[number]) for number in found]
        for answer in scripts.run_all(self._client, calls) if calls else ():
            if isinstance(answer, redis.RedisError):
                raise answer

    def _having(self, numbers: Sequence[str], field: str) -> list[str]:
        with scripts.translated(), self._client.pipeline(transaction=False) as pipeline:
            for number in numbers:
                pipeline.hexists(keys.job(number), field)
            found = pipeline.execute()
        return [number for number, there in zip(numbers, found, strict=True) if there]

    def _step(self, name: str, batch: Batch, *args: scripts.Argument) -> Any:
        words = [batch.number, self._runner, *args]
        answer = scripts.run(self._client, scripts.Call(name=name, keys=[keys.batch(batch.number)], args=words))
        if answer in (None, b"lost", b"running"):
            raise BatchLost(batch.id)
        return answer


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _fields(end: BatchEnd) -> dict[str, object]:
    given = {
        "output_file": end.output_file_id,
        "error_file": end.error_file_id,
        "usage": json.dumps(end.usage) if end.usage is not None else None,
        "errors": json.dumps(end.errors, ensure_ascii=False) if end.errors else None,
    }
    counts = {"completed_lines": end.completed, "failed_lines": end.failed, "refused_lines": 0, "nano": end.nano}
    return counts | {name: value for name, value in given.items() if value is not None}


def _about(batch: Batch, end: BatchEnd) -> dict[str, Any]:
    """What the event says of it."""
    return {
        "batch_id": batch.id,
        "project": batch.project,
        "model": batch.model,
        "metadata": batch.metadata,
        "request_counts": {"total": batch.total, "completed": end.completed, "failed": end.failed},
        "output_file_id": end.output_file_id,
        "error_file_id": end.error_file_id,
        "usage": end.usage,
        "errors": list(end.errors[:MOST_TOLD]) or None,
    }
