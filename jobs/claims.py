"""One attempt at a job, as a worker was given it."""

from __future__ import annotations

from dataclasses import dataclass

from jobs.log_context import Said
from jobs.trail import Trail, read_trail


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One attempt at a job, given to this worker. Times are in seconds; `body` is None when it is read apart.

    `upstream_id` names the response that an earlier attempt began upstream: it is asked for, not begun again.
    """

    number: str
    attempt: int
    attempts_spent: int
    max_attempts: int
    on_unknown: str
    run_timeout_seconds: float
    lane: str
    echo: bytes
    created_at: float
    body: bytes | None
    upstream_id: str | None = None
    snoozes: int = 0
    project: str = ""
    batch: str = ""
    """The X of `batch_X` of which it is a line, or ""."""
    trail: Trail = Trail()  # noqa: RUF009 - it cannot be changed

    @property
    def said(self) -> Said:
        """What lines about the attempt say."""
        return {
            **self.trail.said,
            "job_id": f"job_{self.number}",
            "attempt": self.attempt,
            "project": self.project,
            "lane": self.lane,
            "batch_id": self.batch and f"batch_{self.batch}",
        }


def read_claim(row: list[bytes]) -> Claim:
    """From what the script `claim` answers for one job."""
    number, body, attempt, spent, snoozes, most, on_unknown, timeout, lane, echo, created, *rest = row
    upstream, project, batch, request_id, traceparent = rest
    return Claim(
        number=number.decode(),
        attempt=int(attempt),
        attempts_spent=int(spent),
        snoozes=int(snoozes or 0),
        max_attempts=int(most),
        on_unknown=on_unknown.decode(),
        run_timeout_seconds=int(timeout) / 1000,
        lane=lane.decode(),
        echo=echo,
        created_at=int(created) / 1_000_000,
        body=body or None,
        upstream_id=upstream.decode() or None,
        project=project.decode(),
        batch=batch.decode(),
        trail=read_trail(request_id, traceparent),
    )
