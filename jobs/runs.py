"""The jobs as a worker sees them: claim, mark as sent, finish, put back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import redis

from jobs import keys, scripts
from jobs.coalesce import Coalescer
from jobs.log_context import Said
from jobs.trail import Trail, read_trail

SMALL_REQUEST_BYTES = 64 * 1024
MOST_TOKENS = 10**12
"""An upstream that reports more of one call is not believed, so that the sums stay within what Redis counts."""

Cut = Literal["requests", "tokens", "width", "account", "endpoint", "pause"]
Spend = Literal["always", "unless_down"]
Retried = Literal["put_back", "gone", "exhausted"]
"""'gone': the attempt is not the one under way any more."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """How an attempt went, as its entry shows it. `delivery` is not_sent, sent (no answer came) or answered.

    `nano` is what its usage cost, in 10^-9 of the currency; it is booked, not shown. `kind` is the class of what went
    wrong; it is counted, not shown.
    """

    outcome: str
    delivery: str
    may_be_billed: bool
    http_status: int | None = None
    upstream_request_id: str | None = None
    upstream_response_id: str | None = None
    usage: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None
    nano: int = 0
    kind: str | None = None

    def as_json(self) -> str:
        """Objects inside are JSON texts of their own: the scripts, which read the rest, would round their numbers."""
        values = {
            "outcome": self.outcome,
            "delivery": self.delivery,
            "may_be_billed": self.may_be_billed,
            "http_status": self.http_status,
            "upstream_request_id": self.upstream_request_id,
            "upstream_response_id": self.upstream_response_id,
            "usage": _json(self.usage),
            "error": _json(self.error),
            "kind": self.kind,
        }
        return json.dumps({name: value for name, value in values.items() if value is not None})


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """A job's end: `status` is terminal, the rest as the record keeps it."""

    status: str
    response: bytes | None = None
    raw: bytes | None = None
    usage: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None


class Runs:
    """Calls that many attempts make at a time share their round trips."""

    def __init__(self, coalescer: Coalescer, client: redis.Redis, *, worker: str) -> None:
        self._coalescer = coalescer
        self._client = client
        self._worker = worker

    def claim(self, numbers: Sequence[str], *, dispatch: str, nonce: str) -> list[Claim]:
        """Takes those of the jobs that were released to this worker by `dispatch`."""
        args: list[scripts.Argument] = [self._worker, dispatch, nonce, SMALL_REQUEST_BYTES, *numbers]
        return [_claim(row) for row in self._coalescer.run(scripts.Call(name="claim", args=args))]

    def body(self, claim: Claim) -> bytes:
        """The bytes to send upstream; empty when the job is gone."""
        if claim.body is not None:
            return claim.body
        with scripts.translated():
            body: Any = self._client.hget(keys.job(claim.number), "request")
        return body or b""

    def mark_sent(self, claim: Claim) -> bool:
        """Must precede the first byte sent; False means that the job is no longer ours and nothing may be sent."""
        call = scripts.Call(name="mark_sent", keys=[keys.job(claim.number)], args=[self._worker, claim.attempt])
        return bool(self._coalescer.run(call) == 1)

    def keep_upstream(self, claim: Claim, upstream_id: str) -> bool:
        """Keeps the id of the response that was begun upstream; False means that the job is no longer ours."""
        args: list[scripts.Argument] = [claim.number, self._worker, claim.attempt, upstream_id]
        call = scripts.Call(name="keep_upstream", keys=[keys.job(claim.number)], args=args)
        return bool(self._coalescer.run(call) == 1)

    def finish(self, claim: Claim, end: End, closing: Closing) -> str:
        """'finished', 'already', 'late' (it had ended otherwise) or 'stale' (a later attempt is under way)."""
        values: dict[str, str | bytes | None] = {"response": end.response, "raw": end.raw}
        values |= {name: _json(value) for name, value in (("usage", end.usage), ("error", end.error))}
        fields = [part for name, value in values.items() if value is not None for part in (name, value)]
        call = scripts.Call(
            name="finish",
            keys=[keys.job(claim.number)],
            args=[
                claim.number,
                claim.attempt,
                end.status,
                closing.as_json(),
                _counts(closing),
                *fields,
            ],
        )
        answer: bytes = self._coalescer.run(call)
        return answer.decode()

    def retry(self, claim: Claim, closing: Closing, *, delay_seconds: float, spend: Spend = "always") -> Retried:
        """Back into the backlog, an attempt spent; with 'unless_down', none is while the lane's breaker is open.

        'exhausted': 'unless_down' would have had to spend the last attempt, and nothing was changed.
        """
        way = "retry" if spend == "always" else "retry_unless_down"
        return _RETRIED[self._put_back(claim, closing, delay_seconds, way=way, reason="retry_at")]

    def snooze(self, claim: Claim, closing: Closing, *, delay_seconds: float, reason: str) -> bool:
        """Back into the backlog, no attempt spent."""
        return self._put_back(claim, closing, delay_seconds, way="snooze", reason=reason) == 1

    def poll_later(self, claim: Claim, closing: Closing, *, delay_seconds: float, reason: str) -> bool:
        """As `snooze`, but the response goes on upstream, and the next attempt asks for it."""
        return self._put_back(claim, closing, delay_seconds, way="poll_later", reason=reason) == 1

    def throttle(
        self, claim: Claim, *, pause_seconds: float, reason: str, cut: Cut, told_limit: int | None = None
    ) -> None:
        """Slows the job's lane down, as far as this attempt's outcome is news to it.

        `cut`: a rate a minute, its width, all but one probe (account), a fault that may open the breaker (endpoint), or
        no more than the pause. `told_limit` is what the upstream itself called its limit.
        """
        told = "" if told_limit is None else told_limit
        args: list[scripts.Argument] = [
            claim.lane,
            claim.number,
            round(pause_seconds * 1000),
            reason,
            cut,
            told,
            claim.attempt,
        ]
        self._coalescer.run(scripts.Call(name="throttle", keys=[keys.lane(claim.lane)], args=args))

    def _put_back(self, claim: Claim, closing: Closing, delay: float, *, way: str, reason: str) -> int:
        call = scripts.Call(
            name="put_back",
            keys=[keys.job(claim.number)],
            args=[
                claim.number,
                claim.attempt,
                round(delay * 1000),
                way,
                reason,
                closing.as_json(),
                _counts(closing),
            ],
        )
        return int(self._coalescer.run(call))


_RETRIED: dict[int, Retried] = {0: "gone", 1: "put_back", 2: "exhausted"}


def _json(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value)


def _counts(closing: Closing) -> str:
    """What the attempt adds to the ledger, as JSON; empty where no usage is known."""
    usage = closing.usage
    if usage is None:
        return ""
    details = {
        "cached_tokens": usage.get("input_tokens_details", {}).get("cached_tokens", 0),
        "reasoning_tokens": usage.get("output_tokens_details", {}).get("reasoning_tokens", 0),
    }
    counts = {name: usage[name] for name in ("input_tokens", "output_tokens", "total_tokens")} | details
    return json.dumps({name: min(count, MOST_TOKENS) for name, count in counts.items()} | {"cost_nano": closing.nano})


def _claim(row: list[bytes]) -> Claim:
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
