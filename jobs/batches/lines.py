"""The lines of a batch: their jobs' numbers, and what became of those that were taken up."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import redis

from jobs import keys, scripts
from jobs.batches.record import BATCH_PREFIX, Batch
from jobs.record import Job
from jobs.store import JobStore

MOST_LOOKED_AT = 2000
"""Lines that one page looks at before it answers with what it has found."""

PAGE = 200
PORTION_BYTES = 8 * 1024 * 1024
"""Of answers, that are held at a time."""


def line_number(batch_number: str, line: int) -> str:
    """The number of the job of a batch's line; lines count from 1, empty ones too."""
    return hashlib.sha256(f"{batch_number}:{line}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line that was taken up: its `job`, or the `refusal` {custom_id, status_code, body} of one that became none."""

    line: int
    custom_id: str
    job: Job | None = None
    refusal: dict[str, Any] | None = None

    @property
    def status(self) -> str:
        return self.job.status if self.job is not None else "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePage:
    """`next_after` is what the next page goes on after; `has_more`: whether there may be one."""

    lines: list[Line]
    next_after: int
    has_more: bool


class Lines:
    def __init__(self, client: redis.Redis, store: JobStore) -> None:
        self._client = client
        self._store = store

    def taken_up(self, batch: Batch, *, after: int, limit: int, status: str | None = None) -> LinePage:
        """At most `limit` of the lines behind the line `after` (0: from the first), in their order; with `status`, of
        those whose job is so (a refused line is `failed`). A line whose result was deleted is left out.

        A page looks at so many lines at most: it may hold fewer than there are, or none, though `has_more` is True.
        Raises StoreUnavailable.
        """
        found: list[Line] = []
        last = min(batch.line, after + MOST_LOOKED_AT)
        for line in self._between(batch.number, after + 1, last, status):
            if status is not None and line.status != status:
                continue  # it has gone on in between
            if len(found) == limit:
                return LinePage(lines=found, next_after=found[-1].line, has_more=True)
            found.append(line)
        return LinePage(lines=found, next_after=max(after, last), has_more=last < batch.line)

    def read(self, batch_number: str, numbers: list[int]) -> dict[int, Line]:
        """Those lines that have a job or a refusal. Raises StoreUnavailable."""
        jobs = self._store.get_all([line_number(batch_number, line) for line in numbers])
        with scripts.translated():
            refusals: Any = self._client.hmget(keys.batch_refusals(batch_number), numbers) if numbers else []
        found = {}
        for line, job, refusal in zip(numbers, jobs, refusals, strict=True):
            if job is not None:
                found[line] = Line(line=line, custom_id=job.custom_id or "", job=job)
            elif refusal is not None:
                told = json.loads(refusal)
                found[line] = Line(line=line, custom_id=told["custom_id"], refusal=told)
        return found

    def batch_of(self, number: str) -> str | None:
        """The id of the batch that the job is a line of, if it is one. Raises StoreUnavailable."""
        with scripts.translated():
            found: Any = self._client.hget(keys.job(number), "batch")
        return BATCH_PREFIX + found.decode() if found else None

    def portions(self, batch_number: str, numbers: Sequence[int], *, status: str | None = None) -> Iterator[list[int]]:
        """The lines, in their order, so many at a time as may be read at once; with `status`, those that may be so.

        Raises StoreUnavailable.
        """
        portion: list[int] = []
        held = 0
        for line, (found, size) in zip(numbers, self._sizes(batch_number, numbers), strict=True):
            if status not in (None, found or "failed"):
                continue
            if portion and held + size > PORTION_BYTES:
                yield portion
                portion, held = [], 0
            portion.append(line)
            held += size
        if portion:
            yield portion

    def _sizes(self, batch_number: str, numbers: Sequence[int]) -> list[tuple[str | None, int]]:
        """The status of each line's job, None where there is none, and the bytes of its answer."""
        with scripts.translated(), self._client.pipeline(transaction=False) as pipeline:
            for line in numbers:
                job = keys.job(line_number(batch_number, line))
                pipeline.hget(job, "status")
                pipeline.hstrlen(job, "response")
            answers = pipeline.execute()
        statuses = [None if status is None else status.decode() for status in answers[::2]]
        return list(zip(statuses, answers[1::2], strict=True))

    def _between(self, batch_number: str, first: int, last: int, status: str | None) -> Iterator[Line]:
        for start in range(first, last + 1, PAGE):
            page = range(start, min(start + PAGE, last + 1))
            for portion in self.portions(batch_number, page, status=status):
                yield from self.read(batch_number, portion).values()
