"""The jobs as the API sees them: submit, get, cancel, retry, delete."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis

from jobs import keys, record, scripts
from jobs.accepted import Accepted, job_of, read_accepted
from jobs.durability import DURABLE_MILLISECONDS, confirmed
from jobs.errors import (
    BatchLost,
    BatchNotEnded,
    DurabilityUnconfirmed,
    IdempotencyConflict,
    IdempotencyGone,
    JobNotEnded,
    JobNotFailed,
    JobNotFound,
    OverLimit,
    QueueFull,
    RecordTooNew,
)
from jobs.headroom import Headroom, read_headroom
from jobs.new_job import NewJob
from jobs.projects import shown_limit
from jobs.record import Job
from jobs.settings import Durability

HIDDEN_MILLISECONDS = 30_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """`accepted` is None when an earlier submit of the same work had made the job; `headroom` is what is left of the
    project's limits."""

    number: str
    headroom: Headroom
    accepted: Accepted | None = None

    @property
    def created(self) -> bool:
        return self.accepted is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sameness:
    """What tells that two submits are one. `digest` is the SHA-256 of the body, hexadecimal.

    `key` is the caller's Idempotency-Key; without one, `retries` is the count an SDK gives its own repeats, or None.
    """

    digest: str
    key: str | None = None
    retries: int | None = None


class JobStore:
    """`ageing_seconds`: by how much earlier a job counts as submitted for each step of its priority."""

    def __init__(
        self,
        client: redis.Redis,
        *,
        durability: Durability = "everysec",
        max_queued_bytes: int,
        ageing_seconds: float = 60.0,
    ) -> None:
        self._client = client
        self._durability = durability
        self._max_queued_bytes = max_queued_bytes
        self._ageing_us = round(ageing_seconds * 1_000_000)

    def submit(self, job: NewJob, sameness: Sameness) -> Submitted:
        """Accepts the job, durable as configured when this returns.

        Raises IdempotencyConflict, IdempotencyGone, QueueFull, OverLimit, DurabilityUnconfirmed, StoreUnavailable.
        """
        answer, *rest = self._run_durably(self.submission(job, sameness))
        self.refuse(answer, rest)
        number = rest[0].decode()
        if answer == b"conflict":
            raise IdempotencyConflict(record.JOB_PREFIX + number)
        if answer == b"gone":
            raise IdempotencyGone(record.JOB_PREFIX + number)
        found = read_accepted(rest[2:]) if answer == b"created" else None
        return Submitted(number=number, headroom=read_headroom(rest[1]), accepted=found)

    def accepted(self, job: NewJob, found: Accepted) -> Job:
        """A job that was submitted, as it stood then."""
        return job_of(job, created_us=found.created_us, order=found.created_us - self._lead_us(job))

    def refuse(self, answer: bytes, rest: Sequence[bytes]) -> None:
        """Raises QueueFull, OverLimit, BatchLost for such an answer of a submission."""
        if answer == b"full":
            raise QueueFull(str(self._max_queued_bytes))
        if answer == b"lost":
            raise BatchLost("its batch is no longer this runner's")
        if answer == b"over":
            limit, bound = shown_limit(rest[0].decode(), int(rest[1]))
            seconds = int(rest[2]) / 1000 if int(rest[2]) >= 0 else None
            raise OverLimit(limit, bound, retry_after_seconds=seconds, headroom=read_headroom(rest[3]))

    def submission(self, job: NewJob, sameness: Sameness, *, runner: str = "") -> scripts.Call:
        """The one script call that `submit` makes; a batch's line becomes no job unless the batch is `runner`'s."""
        key = repeat = ""
        if sameness.key is not None:
            key = keys.idempotency(job.project, hashlib.sha256(sameness.key.encode()).hexdigest())
        elif sameness.retries is not None:
            repeat = keys.repeat(job.project, sameness.digest)
        fields = [part for pair in job.fields().items() for part in pair]
        return scripts.Call(
            name="submit",
            keys=[keys.job(job.number), key, repeat, keys.batch(job.line.batch) if job.line else ""],
            args=[
                job.number,
                sameness.digest,
                self._most_bytes(job),
                round((job.queue_deadline_seconds or 0) * 1000),
                int(bool(sameness.retries)),
                self._lead_us(job),
                job.project,
                runner,
                *fields,
            ],
        )

    def _lead_us(self, job: NewJob) -> int:
        """By how many microseconds it counts as submitted earlier than it was."""
        return job.priority * self._ageing_us - round(job.later_seconds * 1_000_000)

    def _most_bytes(self, job: NewJob) -> int:
        """Of all waiting jobs with this one. A line of a batch leaves half of them to others, unless it is larger."""
        if job.line is None:
            return self._max_queued_bytes
        return min(self._max_queued_bytes, max(self._max_queued_bytes // 2, job.queued_bytes))

    def _run_durably(self, call: scripts.Call) -> list[bytes]:
        with scripts.translated():
            answer: list[bytes] = scripts.run(self._client, call)
            if not confirmed(self._client, self._durability):
                raise DurabilityUnconfirmed(f"no {self._durability} was confirmed within {DURABLE_MILLISECONDS} ms")
        return answer

    def get(self, number: str, *, project: str | None) -> Job:
        """The job, of `project` or (None) of any. Raises JobNotFound, RecordTooNew, StoreUnavailable."""
        ((values, entries),) = self._records([number])
        if not _is_there(values) or (project is not None and _named(values, "project") != project.encode()):
            raise JobNotFound(number)
        return record.read_job(number, values, entries)

    def get_all(self, numbers: Sequence[str]) -> list[Job | None]:
        """The jobs in one round trip, None for each that is gone. Raises RecordTooNew, StoreUnavailable."""
        found = zip(numbers, self._records(numbers), strict=True)
        return [record.read_job(n, values, entries) if _is_there(values) else None for n, (values, entries) in found]

    def get_known(self, numbers: Sequence[str]) -> tuple[list[Job], list[str]]:
        """Of the jobs that are there those that can be read, and the numbers of those that a newer release wrote.

        Raises StoreUnavailable.
        """
        known, too_new = [], []
        for number, (values, entries) in zip(numbers, self._records(numbers), strict=True):
            try:
                known += [record.read_job(number, values, entries)] if _is_there(values) else []
            except RecordTooNew:
                too_new.append(number)
        return known, too_new

    def _records(self, numbers: Sequence[str]) -> list[tuple[list[bytes | None], list[bytes]]]:
        """Of each the values of FIELDS and the entries of its attempts."""
        with scripts.translated(), self._client.pipeline(transaction=False) as pipeline:
            for number in numbers:
                pipeline.hmget(keys.job(number), record.FIELDS)
                pipeline.lrange(keys.attempts(number), 0, -1)
            answers = pipeline.execute()
        return list(zip(answers[::2], answers[1::2], strict=True))

    def request(self, number: str) -> dict[str, Any]:
        """What goes upstream for the job. Raises JobNotFound, StoreUnavailable."""
        with scripts.translated():
            body: Any = self._client.hget(keys.job(number), "request")
        if body is None:
            raise JobNotFound(number)
        found: dict[str, Any] = json.loads(body)
        return found

    def raw_response(self, number: str) -> bytes | None:
        """What the upstream sent, byte for byte, or None."""
        with scripts.translated():
            raw: Any = self._client.hget(keys.job(number), "raw")
        return bytes(raw) if raw is not None else None

    def cancel(self, number: str, *, project: str | None) -> Job:
        """The job after it was cancelled; one that had ended stays as it is. Raises JobNotFound, RecordTooNew,
        StoreUnavailable."""
        call = scripts.Call(name="cancel", keys=[keys.job(number)], args=[number, project or ""])
        _refuse_unknown(scripts.run(self._client, call), number)
        return self.get(number, project=project)

    def retry(self, number: str, *, project: str | None, key: str | None = None) -> Headroom:
        """Queues the failed job again, with all of its attempts to spend anew; what is left of its project's limits.

        The same `key` again, as the last that the job was retried with, changes nothing.

        Raises JobNotFound, RecordTooNew, JobNotFailed, BatchNotEnded for a line of such a batch, QueueFull, OverLimit,
        DurabilityUnconfirmed, StoreUnavailable.
        """
        nonce = hashlib.sha256(key.encode()).hexdigest() if key else secrets.token_hex(8)
        args: list[scripts.Argument] = [number, project or "", self._max_queued_bytes, self._ageing_us, nonce]
        call = scripts.Call(name="retry_failed", keys=[keys.job(number)], args=args)
        answer, *rest = self._run_durably(call)
        self.refuse(answer, rest)
        _refuse_unknown(answer, number)
        if answer == b"in_batch":
            raise BatchNotEnded(rest[0].decode())
        if answer != b"again":
            raise JobNotFailed(answer.decode())
        return read_headroom(rest[0])

    def delete(self, number: str, *, project: str | None) -> None:
        """Forgets a job that has ended. Raises JobNotFound, RecordTooNew, JobNotEnded, StoreUnavailable."""
        call = scripts.Call(name="forget", keys=[keys.job(number)], args=[number, project or ""])
        answer = scripts.run(self._client, call)
        _refuse_unknown(answer, number)
        if answer == b"running":
            raise JobNotEnded(number)

    def discard(self, number: str, *, project: str | None) -> None:
        """Forgets a job whatever it is at: one that has not ended is cancelled, and one whose call a worker still hangs
        up answers to nobody from now on. Raises JobNotFound, RecordTooNew, StoreUnavailable.
        """
        self.cancel(number, project=project)
        try:
            self.delete(number, project=project)
        except JobNotEnded:
            call = scripts.Call(name="hide", keys=[keys.job(number)], args=[number, HIDDEN_MILLISECONDS])
            scripts.run(self._client, call)

    def takes_writes(self) -> None:
        """Raises StoreUnavailable unless Redis takes a write now."""
        with scripts.translated():
            self._client.set(keys.PROBE, "1", px=1000)


def _is_there(values: Sequence[bytes | None]) -> bool:
    """Whether the values of FIELDS are those of a job that answers to its name."""
    return _named(values, "project") is not None and _named(values, "hidden") is None


def _named(values: Sequence[bytes | None], name: str) -> bytes | None:
    return values[record.FIELDS.index(name)]


def _refuse_unknown(answer: bytes, number: str) -> None:
    """Raises JobNotFound, RecordTooNew for such an answer of a script."""
    if answer == b"missing":
        raise JobNotFound(number)
    if answer == b"too_new":
        raise RecordTooNew(record.JOB_PREFIX + number)
