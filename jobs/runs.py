"""The jobs as a worker sees them: claim, mark as sent, finish, put back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import redis

from jobs import keys, scripts
from jobs.coalesce import Coalescer

SMALL_REQUEST_BYTES = 64 * 1024
MOST_TOKENS = 10**12
"""An upstream that reports more of one call is not believed, so that the sums stay within what Redis counts."""

Cut = Literal["rate", "width", "account"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One attempt at a job, given to this worker. Times are in seconds; `body` is None when it is read apart."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """How an attempt went, as its entry shows it. `delivery` is not_sent, sent (no answer came) or answered."""

    outcome: str
    delivery: str
    may_be_billed: bool
    http_status: int | None = None
    upstream_request_id: str | None = None
    upstream_response_id: str | None = None
    usage: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None

    def as_json(self) -> str:
        """Objects inside are JSON texts of their own: the scripts, which read the rest, would round their numbers."""
        values = {name: json.dumps(value) if isinstance(value, dict) else value for name, value in asdict(self).items()}
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
                _tokens(closing.usage),
                *fields,
            ],
        )
        answer: bytes = self._coalescer.run(call)
        return answer.decode()

    def retry(self, claim: Claim, closing: Closing, *, delay_seconds: float) -> bool:
        """Back into the queue, an attempt spent."""
        return self._put_back(claim, closing, delay_seconds, spend=1, reason="retry_at")

    def snooze(self, claim: Claim, closing: Closing, *, delay_seconds: float, reason: str) -> bool:
        """Back into the queue, no attempt spent."""
        return self._put_back(claim, closing, delay_seconds, spend=0, reason=reason)

    def throttle(self, claim: Claim, *, pause_seconds: float, reason: str, cut: Cut) -> None:
        """Pauses the job's lane, and cuts its rate, its width, or (account) all but one probe until a call succeeds."""
        args: list[scripts.Argument] = [claim.lane, round(pause_seconds * 1000), reason, cut]
        self._coalescer.run(scripts.Call(name="throttle", keys=[keys.lane(claim.lane)], args=args))

    def _put_back(self, claim: Claim, closing: Closing, delay: float, *, spend: int, reason: str) -> bool:
        call = scripts.Call(
            name="put_back",
            keys=[keys.job(claim.number)],
            args=[
                claim.number,
                claim.attempt,
                round(delay * 1000),
                spend,
                reason,
                closing.as_json(),
                _tokens(closing.usage),
            ],
        )
        return bool(self._coalescer.run(call) == 1)


def _json(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value)


def _tokens(usage: Mapping[str, Any] | None) -> str:
    if usage is None:
        return ""
    details = {
        "cached_tokens": usage.get("input_tokens_details", {}).get("cached_tokens", 0),
        "reasoning_tokens": usage.get("output_tokens_details", {}).get("reasoning_tokens", 0),
    }
    counts = {name: usage[name] for name in ("input_tokens", "output_tokens", "total_tokens")} | details
    return json.dumps({name: min(count, MOST_TOKENS) for name, count in counts.items()})


def _claim(row: list[bytes]) -> Claim:
    number, body, attempt, spent, most, on_unknown, timeout, lane, echo, created = row
    return Claim(
        number=number.decode(),
        attempt=int(attempt),
        attempts_spent=int(spent),
        max_attempts=int(most),
        on_unknown=on_unknown.decode(),
        run_timeout_seconds=int(timeout) / 1000,
        lane=lane.decode(),
        echo=echo,
        created_at=int(created) / 1_000_000,
        body=body or None,
    )
