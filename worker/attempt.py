"""One attempt at a job, from its claim to what is written of it."""

from __future__ import annotations

import json
import logging
import random
import time
from dataclasses import dataclass, replace
from typing import Any, assert_never

from jobs.record import JOB_PREFIX, RESPONSE_PREFIX
from jobs.runs import Claim, Closing, End, Runs
from schemas import response
from schemas.usage import complete_usage
from worker import calls, outcome, retry
from worker.calls import Call, Calls
from worker.errors import CallError, HungUp
from worker.outcome import Outcome, Problem, Responded
from worker.refusals import Kind
from worker.responses_client import ResponsesClient
from worker.retry import GiveUp, Patience, RetryIn, Snooze

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """What every attempt of this process works with."""

    runs: Runs
    client: ResponsesClient
    calls: Calls

    def make(self, claim: Claim) -> None:
        """Load, mark as sent, call, judge, write. What surprises here is left to the heartbeat to give back."""
        call = Call(seconds=claim.run_timeout_seconds)
        self.calls.add(claim.number, call)
        try:
            body = self.runs.body(claim)
            if not body or not self.runs.mark_sent(claim):
                self._let_go(claim)
                return
            result = self._call(claim, body, call)
            if result is not None:
                self._write(claim, result)
        finally:
            self.calls.remove(claim.number)

    def _let_go(self, claim: Claim) -> None:
        """The job ended, or went elsewhere, before anything was sent: its slot is free again at once."""
        unsent = Closing(outcome="lost", delivery="not_sent", may_be_billed=False)
        self.runs.snooze(claim, unsent, delay_seconds=0, reason="")

    def _call(self, claim: Claim, body: bytes, call: Call) -> Outcome | None:
        """The outcome, or None when nothing of it may be written: the worker stops and hands the job back."""
        try:
            answer = self.client.create(body, idempotency_key=JOB_PREFIX + claim.number, call=call)
        except HungUp as ended:
            return None if ended.why == calls.STOPPING else _hung_up(ended, claim)
        except CallError as error:
            return outcome.of_error(error)
        return outcome.of_answer(answer, now=time.time())

    def _write(self, claim: Claim, result: Outcome) -> None:
        match result:
            case Responded():
                self._finish(claim, result)
            case Problem():
                self._settle(claim, result)
            case other:
                assert_never(other)

    def _finish(self, claim: Claim, result: Responded) -> None:
        whole = response.complete(
            result.upstream,
            response_id=RESPONSE_PREFIX + claim.number,
            status=result.status,
            created_at=claim.created_at,
            completed_at=time.time(),
            request=json.loads(claim.echo),
        )
        error = _error_of_job(whole["error"]) if whole["error"] else None
        end = End(status=result.status, response=_bytes(whole), raw=result.raw, usage=whole["usage"], error=error)
        answer = self.runs.finish(claim, end, _closing_of(result, usage=whole["usage"]))
        log.info("%s%s attempt %s: %s (%s)", JOB_PREFIX, claim.number, claim.attempt, result.status, answer)

    def _settle(self, claim: Claim, problem: Problem) -> None:
        patience = Patience(spent=claim.attempts_spent, max_attempts=claim.max_attempts, on_unknown=claim.on_unknown)
        decision = retry.decide(problem, patience, now=time.time(), random=random.random)
        log.info("%s%s attempt %s: %s, %s", JOB_PREFIX, claim.number, claim.attempt, problem.code, decision)
        match decision:
            case GiveUp():
                self._give_up(claim, problem, decision)
            case RetryIn():
                self._hold(claim, decision.hold)
                self.runs.retry(claim, _closing(problem, "failed"), delay_seconds=decision.delay_seconds)
            case Snooze():
                self._hold(claim, decision.hold)
                reason = decision.hold.reason
                self.runs.snooze(claim, _closing(problem, "snoozed"), delay_seconds=0, reason=reason)
            case other:
                assert_never(other)

    def _hold(self, claim: Claim, hold: retry.Hold | None) -> None:
        if hold is not None:
            self.runs.throttle(claim, pause_seconds=hold.pause_seconds, reason=hold.reason, cut=hold.cut)

    def _give_up(self, claim: Claim, problem: Problem, decision: GiveUp) -> None:
        error = {"code": decision.code, "message": decision.message, "retryable": decision.retryable}
        end = End(status="failed", raw=problem.raw, error=error)
        self.runs.finish(claim, end, _closing(problem, "failed"))


def _hung_up(ended: HungUp, claim: Claim) -> Problem:
    """A call we ended ourselves: of a cancelled job nothing but the attempt will be written."""
    if ended.why == calls.CANCELLED:
        return replace(outcome.of_error(ended), code="cancelled", message="the job was cancelled while it ran")
    message = f"the call took longer than run_timeout_seconds ({claim.run_timeout_seconds:g})"
    return replace(outcome.of_error(ended), kind=Kind.TRANSIENT, code="run_timeout", message=message)


def _closing_of(result: Responded, *, usage: dict[str, Any] | None) -> Closing:
    return Closing(
        outcome=result.status,
        delivery="answered",
        may_be_billed=True,
        http_status=result.http_status,
        upstream_request_id=result.request_id,
        upstream_response_id=_text(result.upstream.get("id")),
        usage=usage,
    )


def _closing(problem: Problem, how: str) -> Closing:
    return Closing(
        outcome=how,
        delivery=problem.delivery,
        may_be_billed=problem.may_be_billed,
        http_status=problem.http_status,
        upstream_request_id=problem.request_id,
        upstream_response_id=_text(problem.upstream.get("id")),
        usage=complete_usage(problem.upstream.get("usage")),
        error={"code": problem.code, "message": problem.message},
    )


def _error_of_job(error: dict[str, Any]) -> dict[str, Any]:
    """A failed Response's error with the upstream's own code, which the protocol's may have replaced there."""
    own = error.get("respool", {}).get("code")
    return {"code": own or error["code"], "message": error["message"], "retryable": False}


def _text(value: object) -> str | None:
    return value[:256] if isinstance(value, str) else None


def _bytes(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
