"""Deliveries that were given up."""

from typing import Any

from jobs.webhooks.deliveries import Tried, Verdict
from tests.fakes.post_office import PostOffice

EXHAUSTED = Verdict(status="exhausted", origin="fault")
FAILED = Tried(started_at=2.5, latency_ms=7, http_status=500, error="http_500", answer="no")


def dead(office: PostOffice, count: int = 1, verdict: Verdict = EXHAUSTED, **changes: Any) -> list[str]:
    """Deliveries that were given up, in the order in which they began."""
    found = [office.of_job(office.end_job(**changes))[0] for _ in range(count)]
    while claims := office.take():
        for claim in claims:
            office.settle(claim, verdict, FAILED)
    return found
