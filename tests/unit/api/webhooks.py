"""What the tests of webhooks share: receivers that are never called, since no sender runs here but the tests' own."""

from typing import Any

from tests.fakes.post_office import PostOffice
from tests.unit.api.conftest import Caller

URL = "https://hooks.example.com/in?token=canary"
ORIGIN = "https://hooks.example.com:443"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def registered(caller: Caller, **changes: Any) -> dict[str, Any]:
    """A new webhook endpoint as the answer shows it, its secret included."""
    answer = caller.post("/v1/webhook_endpoints", json={"url": URL} | changes)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json
    return found


def ended(caller: Caller, **changes: Any) -> dict[str, Any]:
    """A job with a webhook of its own that was cancelled."""
    job = caller.job(**{"webhook": {"url": URL, "secret": SECRET}} | changes)
    found: dict[str, Any] = caller.post(f"/v1/jobs/{job['id']}/cancel").json
    return found


def deliveries(caller: Caller, path: str = "/v1/webhook_deliveries") -> list[dict[str, Any]]:
    answer = caller.get(path)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json["data"]
    return found


def settle_all(office: PostOffice, *outcome: Any) -> int:
    """Makes every delivery that may go now, each with this outcome; how many."""
    made = 0
    while claims := office.take():
        for claim in claims:
            office.settle(claim, *outcome)
            made += 1
    return made
