"""One attempt at a delivery, from its claim to what is written of it."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from jobs.log_secrets import Hider
from jobs.tracing import UNTRACED, Span, Tracer
from jobs.webhooks.deliveries import Deliveries, DeliveryClaim, Settled, Tried, Verdict
from jobs.webhooks.target import guarded_parts
from schemas.webhook_url import origin_of
from worker.calls import Call, Calls
from worker.webhooks.body import composed
from worker.webhooks.client import WebhookClient
from worker.webhooks.keyring import Keyring
from worker.webhooks.results import Answered, Failed
from worker.webhooks.schedule import judge
from worker.webhooks.signing import signed_headers

SHOWN_BYTES = 1024
"""Of an answer, and of where it redirects to, in the log of attempts."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsigned:
    """Nothing was sent: there is no secret that could be opened, or where it goes cannot be."""

    error: str = "secret_unreadable"


Result = Answered | Failed | Unsigned


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryAttempts:
    """What every attempt of this process works with. `schedule` holds the seconds before each attempt."""

    deliveries: Deliveries
    client: WebhookClient
    keyring: Keyring
    calls: Calls
    schedule: Sequence[float]
    timeout_seconds: float
    tracer: Tracer = UNTRACED

    def claim(self, numbers: Sequence[str], /, *, dispatch: str, nonce: str) -> list[DeliveryClaim]:
        """What one message released, composed: an attempt that waits for its answer holds its Response but once."""
        return [composed(claim) for claim in self.deliveries.claim(numbers, dispatch=dispatch, nonce=nonce)]

    def make(self, claim: DeliveryClaim) -> None:
        """Sign, send, judge, settle a composed claim. What surprises before an answer came is left to recovery."""
        facts = {f"respool.{name}": value for name, value in claim.said.items() if value}
        with self.tracer.span("webhook delivery", kind="client", within=claim.trail.traceparent, facts=facts) as span:
            self._make(replace(claim, url=self.keyring.url_of(claim)), span)

    def _make(self, claim: DeliveryClaim, span: Span) -> None:
        started_at, started = time.time(), time.monotonic()
        result = self._send(claim, traceparent=span.traceparent)
        _mark(span, result)
        latency_ms = round(1000 * (time.monotonic() - started))
        verdict = self._judge(claim, result)
        written = tried(result, url=claim.url, started_at=started_at, latency_ms=latency_ms)
        settled = self.deliveries.settle(claim, verdict, written)
        _tell(claim, result, verdict, settled, latency_ms=latency_ms)

    def _send(self, claim: DeliveryClaim, *, traceparent: str) -> Result:
        secrets = self.keyring.secrets_of(claim)
        if not secrets or not claim.url:
            return Unsigned()
        headers = signed_headers(claim.event_id, claim.body, secrets=secrets, timestamp=int(time.time()))
        if traceparent:
            headers["traceparent"] = traceparent
        call = Call(seconds=self.timeout_seconds)
        self.calls.add(claim.number, claim.attempt, call)
        try:
            return self.client.post(claim.url, body=claim.body, headers=headers, call=call)
        finally:
            self.calls.remove(claim.number, claim.attempt)

    def _judge(self, claim: DeliveryClaim, result: Result) -> Verdict:
        if isinstance(result, Unsigned):
            # As if nobody had been reached; but the receiver has no part in it.
            return replace(self._judge(claim, Failed(error="connect_error")), origin="unmoved")
        return judge(result, step=claim.step, schedule=self.schedule, now=time.time(), random=random.random)


def _mark(span: Span, result: Result) -> None:
    if isinstance(result, Answered):
        span.say(http__response__status_code=result.http_status)
    if not isinstance(result, Answered):
        span.fail(result.error)
    elif not 200 <= result.http_status < 300:
        span.fail(f"http_{result.http_status}")


def tried(result: Result, *, url: str, started_at: float, latency_ms: int) -> Tried:
    """The attempt as its log shows it; `started_at` in Unix seconds.

    What `url` may hide stays hidden: receivers repeat what they were asked for, and redirects take it along.
    """
    if not isinstance(result, Answered):
        return Tried(started_at=started_at, latency_ms=latency_ms, error=result.error)
    delivered = 200 <= result.http_status < 300
    location = result.headers.get("Location", "") if 300 <= result.http_status < 400 else ""
    hide = Hider(guarded_parts(url)).hide
    return Tried(
        started_at=started_at,
        latency_ms=latency_ms,
        http_status=result.http_status,
        error=None if delivered else f"http_{result.http_status}",
        answer=hide(result.answer.decode(errors="replace"))[:SHOWN_BYTES],
        location=hide(location)[:SHOWN_BYTES] or None,
    )


def _tell(claim: DeliveryClaim, result: Result, verdict: Verdict, settled: Settled, *, latency_ms: int) -> None:
    """Path and query of the URL may be secrets: the log shows its origin."""
    log.info(
        "%s %s, delivery dlv_%s to %s: %s after %s ms, %s",
        claim.event_id,
        claim.type,
        claim.number,
        origin_of(claim.url) if claim.url else "?",
        result.http_status if isinstance(result, Answered) else result.error,
        latency_ms,
        verdict.status if settled.answer == "settled" else settled.answer,
    )
    if settled.disabled:
        log.warning(
            "webhook endpoint %s of project %s is disabled: %s", claim.endpoint_id, claim.project, settled.disabled
        )
