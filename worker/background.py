"""Calls whose response the upstream makes in the background: begun once, kept by its id, polled until it ends."""

from __future__ import annotations

import logging
import random
import time
from dataclasses import dataclass, field

from jobs.record import JOB_PREFIX
from jobs.runs import Claim, Runs
from worker import judgement
from worker.background_request import begun_id, has_result, in_background, refuses_background
from worker.calls import CANCELLED, STOPPING, SUPERSEDED, Call, Calls
from worker.errors import CallError, HungUp
from worker.holds import of_rates
from worker.outcome import Problem
from worker.polling import ACCOUNT_STATUSES, poll
from worker.rate_headers import read_rates
from worker.responses_client import CANCEL_SECONDS, Answer, ResponsesClient

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """`unable` holds the lanes whose upstream turned out to make no background responses."""

    runs: Runs
    calls: Calls
    unable: set[str] = field(default_factory=set)

    def create(self, client: ResponsesClient, claim: Claim, body: bytes, call: Call) -> Answer | Problem:
        """Begins the response and follows it. Where that is not to be had, the upstream is called plainly.

        Raises CallError.
        """
        answer = self._begin(client, claim, body, call)
        response_id = begun_id(answer)
        if response_id is None:
            return answer
        call.response = {"id": response_id}
        if not self.runs.keep_upstream(claim, response_id):
            call.hang_up(CANCELLED)
        self._rest(claim, answer)
        return self._follow(client, claim, response_id, call, begun=True)

    def resume(self, client: ResponsesClient, claim: Claim, response_id: str, call: Call) -> Answer | Problem:
        """Follows a response that an earlier attempt began. Raises CallError."""
        call.response = {"id": response_id}
        return self._follow(client, claim, response_id, call, begun=False)

    def _begin(self, client: ResponsesClient, claim: Claim, body: bytes, call: Call) -> Answer:
        key = JOB_PREFIX + claim.number
        asked = None if claim.lane in self.unable else in_background(body)
        if asked is None:
            return client.create(body, idempotency_key=key, call=call)
        answer = client.create(asked, idempotency_key=key, call=call)
        if not refuses_background(answer):
            return answer
        if claim.lane not in self.unable:
            log.warning("lane %s makes no background responses; it is called plainly from now on", claim.lane)
        self.unable.add(claim.lane)
        return client.create(body, idempotency_key=key, call=call)

    def _rest(self, claim: Claim, answer: Answer) -> None:
        """The rates are told with the answer that begins the response, long before the one that ends it."""
        hold = of_rates(read_rates(answer.headers, now=time.time()))
        if hold is not None:
            self.runs.throttle(claim, pause_seconds=hold.pause_seconds, reason=hold.reason, cut=hold.cut)

    def _follow(
        self, client: ResponsesClient, claim: Claim, response_id: str, call: Call, *, begun: bool
    ) -> Answer | Problem:
        try:
            answer = poll(client, response_id, call=call, begun=begun, random=random.random)
        except HungUp as ended:
            if ended.why in (STOPPING, SUPERSEDED):
                raise HungUp(ended.why, sent=True, goes_on=True) from ended
            last = self._cancel(client, claim, response_id, call)
            if last is None:
                raise
            return last
        if answer.http_status in ACCOUNT_STATUSES:
            return judgement.of_refused_poll(answer, heard=call, now=time.time())
        return answer

    def _cancel(self, client: ResponsesClient, claim: Claim, response_id: str, call: Call) -> Answer | None:
        """Ends the upstream's work as best it can; the answer, should the response have come to a good end before."""
        ending = Call(seconds=CANCEL_SECONDS)
        self.calls.add(claim.number, claim.attempt, ending)
        try:
            answer = client.cancel(response_id, call=ending)
        except CallError as error:
            log.info("%s%s attempt %s: not cancelled upstream: %s", JOB_PREFIX, claim.number, claim.attempt, error)
            return None
        call.response = {"id": response_id, "usage": (judgement.ended_response(answer) or {}).get("usage")}
        return answer if has_result(answer) else None
