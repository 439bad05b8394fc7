"""One attempt at a job, from its claim to what is written of it."""

from __future__ import annotations

import json
import logging
import random
import time
from dataclasses import dataclass
from typing import Any, assert_never

from jobs.errors import StoreError
from jobs.record import JOB_PREFIX, RESPONSE_PREFIX
from jobs.runs import Claim, End, Runs
from schemas import response
from worker import calls, closing, outcome, retry
from worker.calls import Call, Calls
from worker.errors import CallError, HungUp
from worker.outcome import Outcome, Problem, Responded
from worker.responses_client import Answer, ResponsesClient
from worker.retry import GiveUp, Patience, RetryIn, Snooze
from worker.upstream_error import shown_code, shown_message

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """What every attempt of this process works with."""

    runs: Runs
    client: ResponsesClient
    calls: Calls

    def make(self, claim: Claim) -> None:
        """Load, mark as sent, call, judge, write. What surprises before an answer came is left to recovery."""
        call = Call(seconds=claim.run_timeout_seconds)
        self.calls.add(claim.number, claim.attempt, call)
        try:
            body = self.runs.body(claim)
            if not body or not self.runs.mark_sent(claim):
                self.runs.snooze(claim, closing.unsent(), delay_seconds=0, reason="")
                return
            self._call(claim, body, call)
        finally:
            self.calls.remove(claim.number, claim.attempt)

    def _call(self, claim: Claim, body: bytes, call: Call) -> None:
        """Of a call that the worker hung up on because it stops, nothing is written: the job is handed back."""
        try:
            answer = self.client.create(body, idempotency_key=JOB_PREFIX + claim.number, call=call)
        except HungUp as ended:
            if ended.why != calls.STOPPING:
                self._write(claim, outcome.of_hanging_up(ended, seconds=claim.run_timeout_seconds))
        except CallError as error:
            self._write(claim, outcome.of_error(error, heard=call))
        else:
            self._take(claim, answer)

    def _take(self, claim: Claim, answer: Answer) -> None:
        try:
            self._write(claim, outcome.of_answer(answer, now=time.time()))
        except StoreError:
            raise
        except Exception:
            # Whatever is odd about this answer, it has come and may be billed: asked again, it might be as odd again.
            log.exception("%s%s attempt %s: its answer cannot be kept", JOB_PREFIX, claim.number, claim.attempt)
            problem = outcome.of_unfit(answer)
            self._give_up(claim, problem, GiveUp(code=problem.code, message=problem.message, retryable=False))

    def _write(self, claim: Claim, result: Outcome) -> None:
        match result:
            case Responded():
                self._finish(claim, result)
            case Problem():
                self._settle(claim, result)
            case other:
                assert_never(other)

    def _finish(self, claim: Claim, result: Responded) -> None:
        whole = _whole(claim, result)
        error = _error_of_job(whole["error"]) if whole["error"] else None
        end = End(status=result.status, response=_bytes(whole), raw=result.raw, usage=whole["usage"], error=error)
        answer = self.runs.finish(claim, end, closing.of_response(result, usage=whole["usage"]))
        log.info("%s%s attempt %s: %s (%s)", JOB_PREFIX, claim.number, claim.attempt, result.status, answer)

    def _settle(self, claim: Claim, problem: Problem) -> None:
        decision = retry.decide(problem, _patience(claim), now=time.time(), random=random.random)
        log.info("%s%s attempt %s: %s, %s", JOB_PREFIX, claim.number, claim.attempt, problem.code, decision)
        match decision:
            case GiveUp():
                self._give_up(claim, problem, decision)
            case RetryIn():
                self._hold(claim, decision.hold)
                self.runs.retry(claim, closing.of_problem(problem, "failed"), delay_seconds=decision.delay_seconds)
            case Snooze():
                self._hold(claim, decision.hold)
                snoozed = closing.of_problem(problem, "snoozed")
                self.runs.snooze(claim, snoozed, delay_seconds=decision.delay_seconds, reason=problem.code)
            case other:
                assert_never(other)

    def _hold(self, claim: Claim, hold: retry.Hold | None) -> None:
        if hold is not None:
            self.runs.throttle(claim, pause_seconds=hold.pause_seconds, reason=hold.reason, cut=hold.cut)

    def _give_up(self, claim: Claim, problem: Problem, decision: GiveUp) -> None:
        error = {"code": decision.code, "message": decision.message, "retryable": decision.retryable}
        end = End(status="failed", raw=problem.raw, error=error)
        self.runs.finish(claim, end, closing.of_problem(problem, "failed"))


def _patience(claim: Claim) -> Patience:
    """Attempts that spent nothing were snoozed, but for the few that a lost worker never sent."""
    return Patience(
        spent=claim.attempts_spent,
        snoozes=max(0, claim.attempt - 1 - claim.attempts_spent),
        max_attempts=claim.max_attempts,
        on_unknown=claim.on_unknown,
    )


def _whole(claim: Claim, result: Responded) -> dict[str, Any]:
    """The Response that the job hands out."""
    whole = response.complete(
        result.upstream,
        response_id=RESPONSE_PREFIX + claim.number,
        status=result.status,
        created_at=claim.created_at,
        completed_at=time.time(),
        request=json.loads(claim.echo),
    )
    return whole | {"usage": closing.believed(whole["usage"])}


def _error_of_job(error: dict[str, Any]) -> dict[str, Any]:
    """A failed Response's error with the upstream's own code, which the protocol's may have replaced there."""
    own = error.get("respool", {}).get("code")
    return {"code": shown_code(own or error["code"]), "message": shown_message(error["message"]), "retryable": False}


def _bytes(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
