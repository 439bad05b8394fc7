"""What is written of an attempt: the job ends or goes back into the queue, and its lane hears of it."""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from jobs.claims import Claim
from jobs.closings import Closing, End
from jobs.errors import StoreError
from jobs.lanes import model_of
from jobs.prices import Price
from jobs.record import JOB_PREFIX, RESPONSE_PREFIX
from jobs.runs import Runs
from jobs.tracing import current
from schemas import response
from worker import closing, holds, judgement, retry
from worker.holds import Hold
from worker.outcome import Outcome, Problem, Responded
from worker.responses_client import Answer
from worker.retry import Decision, GiveUp, Patience, PollLater, RetryIn, Snooze
from worker.upstream_error import shown_code, shown_message

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """`prices` is by model."""

    runs: Runs
    prices: Mapping[str, Price]

    def take(self, claim: Claim, answer: Answer) -> None:
        """Judges the answer and writes what it came to."""
        try:
            self.write(claim, judgement.of_answer(answer, now=time.time()))
        except StoreError:
            raise
        except Exception:
            # Whatever is odd about this answer, it has come and may be billed: asked again, it might be as odd again.
            log.exception("%s%s attempt %s: its answer cannot be kept", JOB_PREFIX, claim.number, claim.attempt)
            problem = judgement.of_unfit(answer)
            self._give_up(claim, problem, GiveUp(code=problem.code, message=problem.message, retryable=False))

    def write(self, claim: Claim, result: Outcome) -> None:
        """Ends the job or puts it back, and has the lane hear of it."""
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
        self._hold(claim, holds.of_rates(result.rates))
        done = closing.of_response(result, usage=whole["usage"], price=self._price(claim))
        answer = self.runs.finish(claim, end, done)
        log.info("%s%s attempt %s: %s (%s)", JOB_PREFIX, claim.number, claim.attempt, result.status, answer)
        current().say(respool__outcome=result.status)

    def _settle(self, claim: Claim, problem: Problem) -> None:
        decision = retry.decide(problem, _patience(claim), now=time.time(), random=random.random)
        # Of neither the message: the upstream may repeat in it what it was sent.
        log.info("%s%s attempt %s: %s, %s", JOB_PREFIX, claim.number, claim.attempt, problem.code, _shown(decision))
        current().say(respool__outcome=problem.code)
        current().fail(problem.code)
        match decision:
            case GiveUp():
                self._hold(claim, decision.hold)
                self._give_up(claim, problem, decision)
            case RetryIn(delay_seconds=delay, spend=spend):
                self._hold(claim, decision.hold)
                failed = self._closing(claim, problem, "failed")
                if self.runs.retry(claim, failed, delay_seconds=delay, spend=spend) == "exhausted":
                    self._give_up(claim, problem, retry.exhausted(problem))
            case Snooze(delay_seconds=delay):
                self._hold(claim, decision.hold)
                snoozed = self._closing(claim, problem, "snoozed")
                self.runs.snooze(claim, snoozed, delay_seconds=delay, reason=problem.code)
            case PollLater():
                self._hold(claim, decision.hold)
                snoozed = self._closing(claim, problem, "snoozed")
                self.runs.poll_later(claim, snoozed, delay_seconds=0, reason=problem.code)
            case other:
                assert_never(other)

    def _hold(self, claim: Claim, hold: Hold | None) -> None:
        if hold is not None:
            self.runs.throttle(
                claim,
                pause_seconds=hold.pause_seconds,
                reason=hold.reason,
                cut=hold.cut,
                told_limit=hold.told_limit,
            )

    def _give_up(self, claim: Claim, problem: Problem, decision: GiveUp) -> None:
        error = {"code": decision.code, "message": decision.message, "retryable": decision.retryable}
        end = End(status="failed", raw=problem.raw, error=error)
        self.runs.finish(claim, end, self._closing(claim, problem, "failed"))

    def _closing(self, claim: Claim, problem: Problem, how: str) -> Closing:
        return closing.of_problem(problem, how, price=self._price(claim))

    def _price(self, claim: Claim) -> Price | None:
        return self.prices.get(model_of(claim.lane))


def _shown(decision: Decision) -> str:
    match decision:
        case RetryIn(delay_seconds=delay, spend=spend):
            return f"retry in {delay:.1f} s ({spend})"
        case Snooze(delay_seconds=delay):
            return f"snoozed for {delay:.1f} s"
        case PollLater():
            return "asked for again later"
        case GiveUp(code=code):
            return f"given up: {code}"
        case other:
            assert_never(other)


def _patience(claim: Claim) -> Patience:
    return Patience(
        spent=claim.attempts_spent,
        snoozes=claim.snoozes,
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
    return _compact.encode(value).encode()


_compact = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
