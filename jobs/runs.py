"""The jobs as a worker sees them: claim, mark as sent, finish, put back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import redis

from jobs import keys, scripts
from jobs.claims import Claim, read_claim
from jobs.closings import Closing, End
from jobs.coalesce import Coalescer

SMALL_REQUEST_BYTES = 64 * 1024

Cut = Literal["requests", "tokens", "width", "account", "endpoint", "pause"]
Spend = Literal["always", "unless_down"]
Retried = Literal["put_back", "gone", "exhausted"]
"""'gone': the attempt is not the one under way any more."""


class Runs:
    """Calls that many attempts make at a time share their round trips."""

    def __init__(self, coalescer: Coalescer, client: redis.Redis, *, worker: str) -> None:
        self._coalescer = coalescer
        self._client = client
        self._worker = worker

    def claim(self, numbers: Sequence[str], *, dispatch: str, nonce: str) -> list[Claim]:
        """Takes those of the jobs that were released to this worker by `dispatch`."""
        args: list[scripts.Argument] = [self._worker, dispatch, nonce, SMALL_REQUEST_BYTES, *numbers]
        return [read_claim(row) for row in self._coalescer.run(scripts.Call(name="claim", args=args))]

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
        call = scripts.Call(
            name="finish",
            keys=[keys.job(claim.number)],
            args=[
                claim.number,
                claim.attempt,
                end.status,
                closing.as_json(),
                closing.counts_as_json(),
                *end.fields(),
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
                closing.counts_as_json(),
            ],
        )
        return int(self._coalescer.run(call))


_RETRIED: dict[int, Retried] = {0: "gone", 1: "put_back", 2: "exhausted"}
