"""A job as it stood at its submit, whatever has become of it since."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from jobs.new_job import NewJob, kept_milliseconds
from jobs.record import Job, Stage
from jobs.standing import Standing, read_standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What its submit found of a job: `created_us` is in microseconds since the epoch, `before` how many of its
    project's waited before it, and `standing` what bore upon them all.
    """

    created_us: int
    before: int
    standing: Standing


def read_accepted(answer: Sequence[bytes]) -> Accepted:
    """From what the script `submit` says of a job that it made."""
    created, before, in_flight, *values = answer
    return Accepted(created_us=int(created), before=int(before), standing=read_standing(values, int(in_flight)))


def job_of(new: NewJob, *, created_us: int, order: int) -> Job:
    """The job that was made of it, as a read at that moment would have found it; `order` is its place in its project's
    queue.
    """
    deadline = kept_milliseconds(new.queue_deadline_seconds)
    return Job(
        number=new.number,
        project=new.project,
        api_key=new.api_key,
        model=new.model,
        backlog=new.backlog,
        lane=None,
        priority=new.priority,
        status="queued",
        stage=Stage.WAITING,
        created_at=created_us / 1_000_000,
        started_at=None,
        finished_at=None,
        expires_at=None,
        due_at=None,
        metadata=dict(new.metadata),
        echo=json.loads(new.echo),
        max_attempts=new.max_attempts,
        attempts_spent=0,
        on_unknown=new.on_unknown,
        queue_deadline_seconds=deadline / 1000 if deadline else None,
        run_timeout_seconds=kept_milliseconds(new.run_timeout_seconds) / 1000,
        reason="",
        tokens=new.tokens,
        nano=0,
        order=order,
        response=None,
        usage=None,
        error=None,
        webhook=json.loads(new.webhook.as_json()) if new.webhook else None,
        attempts=[],
        line=new.line.line if new.line else None,
        custom_id=new.line.custom_id if new.line else None,
    )


def as_accepted(job: Job) -> Job:
    """The job as it was then: a worker may have been quick, and who begins a response is promised a queued one."""
    return replace(
        job,
        status="queued",
        stage=Stage.WAITING,
        lane=None,
        started_at=None,
        finished_at=None,
        expires_at=None,
        due_at=None,
        attempts_spent=0,
        attempts=(),
        reason="",
        nano=0,
        response=None,
        usage=None,
        error=None,
    )
