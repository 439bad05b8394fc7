"""The deliveries as a sender sees them: claimed, then settled."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal, cast

from jobs import scripts
from jobs.coalesce import Coalescer
from jobs.log_context import Said
from jobs.trail import Trail, read_trail
from jobs.webhooks.cancelling import cancel_owed
from jobs.webhooks.target import Include

MOST_RESPONSE_BYTES = 256 * 1024
"""A larger Response is not sent with its event."""

Signer = Literal["own", "endpoint", "project"]
Trigger = Literal["schedule", "manual"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A job's end. `response` is None where it has none of its own; `echo` is its request without the input, as JSON.

    Times are in seconds.
    """

    number: str
    status: str
    response: bytes | None
    echo: bytes
    error: bytes | None
    created_at: float
    finished_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryClaim:
    """One attempt at a delivery, given to this sender.

    `body` is the event without a Response; `kept` is what one can be made from, where it is asked for and still to be
    had. `step` counts the attempts of its schedule before this one. `sealed` are the secrets that sign, current first.
    """

    number: str
    attempt: int
    step: int
    event_id: str
    type: str
    url: str
    include: Include
    body: bytes
    project: str
    endpoint_id: str | None
    signer: Signer
    sealed: tuple[str, ...]
    trigger: Trigger
    kept: Kept | None = None
    job: str = ""
    """The number of the job that the event tells of, or ""."""
    trail: Trail = Trail()  # noqa: RUF009 - it cannot be changed

    @property
    def said(self) -> Said:
        """What lines about the attempt say."""
        return {
            **self.trail.said,
            "job_id": self.job and f"job_{self.job}",
            "delivery_id": f"dlv_{self.number}",
            "event_id": self.event_id,
            "attempt": self.attempt,
            "project": self.project,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is made of an attempt; `spends`: the schedule goes on a step.

    `origin` is what it says of the receiver's origin: up, fault, throttled (for `pause_seconds`), or nothing.
    """

    status: Literal["delivered", "retrying", "exhausted", "gone", "blocked"]
    origin: Literal["up", "fault", "throttled", "unmoved"]
    delay_seconds: float = 0.0
    pause_seconds: float = 0.0
    spends: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """How an attempt went, as the log shows it. `answer` is the beginning of what came back."""

    started_at: float
    latency_ms: int
    http_status: int | None = None
    error: str | None = None
    answer: str = ""
    location: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """'late': the delivery had been taken over. `disabled` says why its endpoint has just been disabled, or ''."""

    answer: Literal["settled", "late"]
    disabled: str


class Deliveries:
    """Calls that many attempts make at a time share their round trips."""

    def __init__(self, coalescer: Coalescer, *, sender: str, disable_seconds: float) -> None:
        """`disable_seconds`: how long an endpoint may fail before it is disabled."""
        self._coalescer = coalescer
        self._sender = sender
        self._disable_ms = round(disable_seconds * 1000)

    def claim(self, numbers: Sequence[str], *, dispatch: str, nonce: str) -> list[DeliveryClaim]:
        """Takes those of the deliveries that were released to this sender by `dispatch`."""
        args: list[scripts.Argument] = [self._sender, dispatch, nonce, MOST_RESPONSE_BYTES, *numbers]
        return [_claim(row) for row in self._coalescer.run(scripts.Call(name="claim_deliveries", args=args))]

    def settle(self, claim: DeliveryClaim, verdict: Verdict, tried: Tried) -> Settled:
        """Ends the delivery or puts it back; the log is written last, and is not what decides.

        Where that disables its endpoint, what else the endpoint is owed is cancelled.
        """
        entry = asdict(tried) | {"number": claim.attempt, "trigger": claim.trigger}
        args: list[scripts.Argument] = [
            claim.number,
            claim.attempt,
            verdict.status,
            round(verdict.delay_seconds * 1000),
            verdict.origin,
            round(verdict.pause_seconds * 1000),
            int(verdict.spends),
            json.dumps(entry),
            tried.error or "",
            self._disable_ms,
        ]
        answer, disabled = self._coalescer.run(scripts.Call(name="settle_delivery", args=args))
        if disabled and claim.endpoint_id is not None:
            cancel_owed(self._coalescer.run, claim.endpoint_id)
        return Settled(answer=answer.decode(), disabled=disabled.decode())


def _claim(row: list[bytes]) -> DeliveryClaim:
    number, attempt, step, event, kind, url, include, body, project, endpoint, signer, sealed, trigger, *rest = row
    job, request_id, traceparent, *kept = rest
    return DeliveryClaim(
        number=number.decode(),
        attempt=int(attempt),
        step=int(step),
        event_id=event.decode(),
        type=kind.decode(),
        url=url.decode(),
        include=cast(Include, include.decode()),
        body=body,
        project=project.decode(),
        endpoint_id=endpoint.decode() or None,
        signer=cast(Signer, signer.decode()),
        sealed=tuple(json.loads(sealed)),
        trigger=cast(Trigger, trigger.decode()),
        kept=_kept(kept) if kept else None,
        job=job.decode(),
        trail=read_trail(request_id, traceparent),
    )


def _kept(values: list[bytes]) -> Kept:
    number, status, response, echo, error, created, finished = values
    return Kept(
        number=number.decode(),
        status=status.decode(),
        response=response or None,
        echo=echo,
        error=error or None,
        created_at=int(created) / 1_000_000,
        finished_at=int(finished) / 1000,
    )
