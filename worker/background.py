"""Calls whose response the upstream makes in the background: begun once, kept by its id, polled until it ends."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from jobs.claims import Claim
from jobs.record import JOB_PREFIX
from jobs.runs import Runs
from worker import judgement
from worker.background_events import BackgroundEvents
from worker.background_request import (
    begun_id,
    has_result,
    in_background,
    refuses_background,
    streamed_in_background,
)
from worker.calls import CANCELLED, STOPPING, SUPERSEDED, Call, Calls
from worker.errors import CallError, HungUp
from worker.holds import of_rates
from worker.judgement import ended_response
from worker.outcome import Problem
from worker.polling import ACCOUNT_STATUSES, poll
from worker.rate_headers import read_rates
from worker.responses_client import CANCEL_SECONDS, Answer, ResponsesClient

PLAIN = ("background",)
STREAMED = ("background", "stream")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """`body` is what is sent; a refusal of one of `params` makes the lane one of the `unable`."""

    name: str
    body: bytes
    params: tuple[str, ...]
    unable: set[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """`unable` holds the lanes whose upstream turned out to make no background responses, `streamless` those where it
    makes them and does not stream them.
    """

    runs: Runs
    calls: Calls
    unable: set[str] = field(default_factory=set)
    streamless: set[str] = field(default_factory=set)

    def create(self, client: ResponsesClient, claim: Claim, body: bytes, call: Call) -> Answer | Problem:
        """Begins the response and follows it. Where that is not to be had, the upstream is called plainly.

        Raises CallError.
        """
        events = self._events(claim, call)
        try:
            answer = self._begin(client, claim, body, call, events)
        except CallError:
            if events.response_id is None:
                raise
            return self._follow(client, claim, events.response_id, call, begun=True, events=events)
        if events.response_id is not None:
            if ended_response(answer) is not None:
                return answer
            return self._follow(client, claim, events.response_id, call, begun=True, events=events)
        response_id = begun_id(answer)
        if response_id is None:
            return answer
        self._keep(claim, response_id, call)
        self._rest(claim, answer)
        return self._follow(client, claim, response_id, call, begun=True)

    def resume(self, client: ResponsesClient, claim: Claim, response_id: str, call: Call) -> Answer | Problem:
        """Follows a response that an earlier attempt began. Raises CallError."""
        call.response = {"id": response_id}
        events = self._events(claim, call) if call.tell is not None else None
        return self._follow(client, claim, response_id, call, begun=False, events=events)

    def _events(self, claim: Claim, call: Call) -> BackgroundEvents:
        return BackgroundEvents(keep=lambda found: self._keep(claim, found, call), pass_on=call.tell)

    def _keep(self, claim: Claim, response_id: str, call: Call) -> None:
        call.response = {"id": response_id}
        if not self.runs.keep_upstream(claim, response_id):
            call.hang_up(CANCELLED)

    def _begin(
        self, client: ResponsesClient, claim: Claim, body: bytes, call: Call, events: BackgroundEvents
    ) -> Answer:
        key, plainly = JOB_PREFIX + claim.number, call.tell
        call.tell = events.take
        for way in self._ways(claim, body, streamed=plainly is not None):
            answer = client.create(way.body, idempotency_key=key, call=call)
            if not refuses_background(answer, params=way.params):
                return answer
            if claim.lane not in way.unable:
                log.warning("lane %s makes no %s; it is not asked for them from now on", claim.lane, way.name)
            way.unable.add(claim.lane)
        call.tell = plainly
        return client.create(body, idempotency_key=key, call=call)

    def _ways(self, claim: Claim, body: bytes, *, streamed: bool) -> Iterator[_Way]:
        """In which the response may be asked for, besides plainly; the next where the upstream refuses one."""
        asked = in_background(body)
        if asked is None:
            return
        if streamed and claim.lane not in self.streamless | self.unable:
            live = streamed_in_background(body)
            yield _Way(name="streams of background responses", body=live, params=STREAMED, unable=self.streamless)
        if claim.lane not in self.unable:
            yield _Way(name="background responses", body=asked, params=PLAIN, unable=self.unable)

    def _rest(self, claim: Claim, answer: Answer) -> None:
        """The rates are told with the answer that begins the response, long before the one that ends it."""
        hold = of_rates(read_rates(answer.headers, now=time.time()))
        if hold is not None:
            self.runs.throttle(claim, pause_seconds=hold.pause_seconds, reason=hold.reason, cut=hold.cut)

    def _follow(
        self,
        client: ResponsesClient,
        claim: Claim,
        response_id: str,
        call: Call,
        *,
        begun: bool,
        events: BackgroundEvents | None = None,
    ) -> Answer | Problem:
        """Live where there are `events` of the response, and else, or once that is over, by asking after it."""
        try:
            answer = events.follow(client, response_id, call, begun=begun) if events is not None else None
            if answer is None:
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
