"""One attempt at a job, from its claim to what is written of it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from jobs.claims import Claim
from jobs.lanes import account_of
from jobs.record import JOB_PREFIX
from jobs.runs import Runs
from jobs.tracing import UNTRACED, Tracer
from worker import calls, closing, outcome
from worker.background import Background
from worker.calls import Call, Calls
from worker.endpoints import Endpoint, Endpoints
from worker.errors import CallError, HungUp
from worker.judgement import ended_response
from worker.log_pump import LogPump
from worker.outcome import Problem
from worker.responses_client import Answer
from worker.results import Results

UNKNOWN_ACCOUNT_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """What every attempt of this process works with."""

    runs: Runs
    endpoints: Endpoints
    background: Background
    results: Results
    calls: Calls
    logs: LogPump
    tracer: Tracer = UNTRACED

    def make(self, claim: Claim) -> None:
        """Load, mark as sent, call, have it judged. What surprises before an answer came is left to recovery."""
        facts = {f"respool.{name}": value for name, value in claim.said.items() if value}
        with self.tracer.span("job attempt", kind="consumer", within=claim.trail.traceparent, facts=facts):
            self._make(claim)

    def _make(self, claim: Claim) -> None:
        call = Call(seconds=claim.run_timeout_seconds)
        self.calls.add(claim.number, claim.attempt, call)
        try:
            endpoint = self.endpoints.get(account_of(claim.lane))
            if endpoint is None:
                # A limits file newer than this process names it.
                self._put_back_unsent(claim, delay_seconds=UNKNOWN_ACCOUNT_SECONDS, reason="unknown_account")
                return
            body = b"" if claim.upstream_id else self.runs.body(claim)
            if not (body or claim.upstream_id) or not self.runs.mark_sent(claim):
                self._put_back_unsent(claim, delay_seconds=0, reason="")
                return
            self._call(claim, endpoint, body, call)
        finally:
            self.calls.remove(claim.number, claim.attempt)

    def _put_back_unsent(self, claim: Claim, *, delay_seconds: float, reason: str) -> None:
        put_back = self.runs.poll_later if claim.upstream_id else self.runs.snooze
        put_back(claim, closing.unsent(), delay_seconds=delay_seconds, reason=reason)

    def _call(self, claim: Claim, endpoint: Endpoint, body: bytes, call: Call) -> None:
        """Of a call that the worker hung up on because it stops, nothing is written: the job is handed back."""
        try:
            came = self._listened(claim, endpoint, body, call)
        except HungUp as ended:
            if ended.why != calls.STOPPING:
                self.results.write(claim, outcome.of_hanging_up(ended, heard=call, seconds=claim.run_timeout_seconds))
        except CallError as error:
            self.results.write(claim, outcome.of_error(error, heard=call))
        else:
            if isinstance(came, Problem):
                self.results.write(claim, came)
            else:
                self.results.take(claim, came)

    def _listened(self, claim: Claim, endpoint: Endpoint, body: bytes, call: Call) -> Answer | Problem:
        """As `_ask`; what the upstream streams to a caller who asked for a stream goes into the job's log meanwhile."""
        if not _streams(claim):
            return self._ask(claim, endpoint, body, call)
        log, came = self.logs.writer(claim), None
        call.tell = log.take
        try:
            came = self._ask(claim, endpoint, body, call)
        finally:
            call.tell = None
            log.close(ended_response(came) if isinstance(came, Answer) else None)
        return came

    def _ask(self, claim: Claim, endpoint: Endpoint, body: bytes, call: Call) -> Answer | Problem:
        if claim.upstream_id:
            return self.background.resume(endpoint.client, claim, claim.upstream_id, call)
        if endpoint.background:
            return self.background.create(endpoint.client, claim, body, call)
        return endpoint.client.create(body, idempotency_key=JOB_PREFIX + claim.number, call=call)


def _streams(claim: Claim) -> bool:
    """Whether the caller asked for a stream."""
    return b'"stream"' in claim.echo and json.loads(claim.echo).get("stream") is True
