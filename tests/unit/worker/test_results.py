import json
from collections.abc import Callable
from typing import Any

import pytest

from jobs.lanes import lane_of
from jobs.prices import Price
from jobs.record import Job
from tests.factories import MODEL
from tests.fakes.clock import Clock, stopped_clock
from tests.fakes.raw_server import http_answer, raw_server
from tests.unit.worker.conftest import Shop, attempts_at
from worker.attempt import Attempts
from worker.responses_client import ResponsesClient

LANE = lane_of(MODEL)
USAGE = b'{"input_tokens": 10, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 5}'
PRICES = {MODEL: Price(input=2.0, cached=1.0, output=3.0)}
COST = 6 * 2000 + 4 * 1000 + 5 * 3000
Open = Callable[..., ResponsesClient]


def after(answer: bytes, shop: Shop, open_client: Open, **changes: Any) -> Job:
    """The job after one attempt at an endpoint that gives that answer."""
    with raw_server(answer) as server:
        attempts = attempts_at(shop.attempts.runs, shop.calls, open_client(server.url), prices=PRICES)
        number = shop.submit(**changes)
        attempts.make(shop.claim())
    return shop.bench.job(number)


def lane_field(shop: Shop, name: str) -> str:
    return (shop.bench.client.hget(f"{{respool}}:lane:{LANE}", name) or b"").decode()


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b'{"status": "completed", "output": [], "usage": %s}' % USAGE, "completed"),
        (b'{"status": "failed", "output": [], "error": {"code": "invalid_prompt"}, "usage": %s}' % USAGE, "failed"),
        (b'{"status": "failed", "output": [], "error": {"code": "server_error"}, "usage": %s}' % USAGE, "queued"),
    ],
)
def test_every_attempt_that_told_its_usage_is_paid_for(
    answer: bytes, status: str, shop: Shop, open_client: Open
) -> None:
    job = after(http_answer(answer), shop, open_client)
    assert (job.status, job.nano) == (status, COST)


def test_a_model_without_a_price_costs_nothing(shop: Shop, open_client: Open) -> None:
    answer = http_answer(b'{"status": "completed", "output": [], "usage": %s}' % USAGE)
    assert after(answer, shop, open_client, model="other", backlog="*:other").nano == 0


@pytest.mark.parametrize(("kind", "limit"), [("requests", "30"), ("tokens", "5000")])
def test_a_refusal_for_its_rate_has_the_lane_learn_what_the_endpoint_allows(
    kind: str, limit: str, shop: Shop, open_client: Open
) -> None:
    code = {"requests": "EndpointRPMExceeded", "tokens": "EndpointTPMExceeded"}[kind]
    body = json.dumps({"error": {"code": f"RateLimitExceeded.{code}", "message": "m"}}).encode()
    headers = (f"x-ratelimit-limit-{kind}: {limit}", f"x-ratelimit-reset-{kind}: 7s")
    job = after(http_answer(body, *headers, status="429 Too Many Requests"), shop, open_client)
    assert (job.status, job.attempts_spent) == ("queued", 0)
    shop.bench.dispatch("w1")
    lane = shop.bench.lanes.get(LANE)
    learned = lane.requests_per_minute if kind == "requests" else lane.tokens_per_minute
    assert learned == pytest.approx(float(limit), rel=0.01)
    assert lane.paused_until is not None
    assert lane.reason == f"RateLimitExceeded.{code}"


def test_an_answer_that_leaves_nothing_of_a_limit_pauses_the_lane_briefly(shop: Shop, open_client: Open) -> None:
    headers = ("x-ratelimit-limit-tokens: 9", "x-ratelimit-remaining-tokens: 0", "x-ratelimit-reset-tokens: 6m0s")
    job = after(http_answer(b'{"status": "completed", "output": []}', *headers), shop, open_client)
    assert job.status == "completed"
    assert lane_field(shop, "pause_reason") == "rate_limit_tokens"
    assert shop.bench.lanes.get(LANE).tokens_per_minute is None


def next_probe(shop: Shop, clock: Clock, attempts: Attempts) -> None:
    """The job that waits gets its attempt, however long its lane is paused."""
    clock.forward(120)
    shop.bench.sweep()
    attempts.make(shop.claim())


OUTAGE = http_answer(b"<html>", status="503 Service Unavailable")


def test_three_faults_open_the_breaker_and_what_was_not_billed_spends_nothing_from_then_on(
    shop: Shop, open_client: Open
) -> None:
    with raw_server(OUTAGE) as server:
        attempts = attempts_at(shop.attempts.runs, shop.calls, open_client(server.url))
        numbers = []
        for _ in range(3):
            numbers.append(shop.submit())
            attempts.make(shop.claim())
    jobs = [shop.bench.job(number) for number in numbers]
    assert [job.attempts_spent for job in jobs] == [1, 1, 0]
    assert [job.attempts[0]["may_be_billed"] for job in jobs] == [False] * 3
    lane = shop.bench.lanes.get(LANE)
    assert lane.state != "open"
    assert lane.reason == "http_503"


def test_an_outage_at_the_last_attempt_ends_the_job_while_the_breaker_is_closed(shop: Shop, open_client: Open) -> None:
    job = after(OUTAGE, shop, open_client, max_attempts=1)
    assert (job.status, job.attempts_spent) == ("failed", 1)
    assert job.error == {"code": "http_503", "message": job.attempts[0]["error"]["message"], "retryable": True}
    assert [attempt["outcome"] for attempt in job.attempts] == ["failed"]
    assert shop.bench.slots(LANE) == set()


def test_an_outage_at_the_last_attempt_keeps_the_job_while_the_breaker_is_open(
    shop: Shop, open_client: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = stopped_clock(shop.bench.client, monkeypatch)
    ended = [after(OUTAGE, shop, open_client, max_attempts=1).status for _ in range(2)]
    job = after(OUTAGE, shop, open_client, max_attempts=1)
    assert (ended, job.status, job.attempts_spent) == (["failed", "failed"], "queued", 0)
    with raw_server(OUTAGE) as server:
        attempts = attempts_at(shop.attempts.runs, shop.calls, open_client(server.url))
        for _ in range(3):
            next_probe(shop, clock, attempts)
    job = shop.bench.job(job.number)
    assert (job.status, job.attempts_spent) == ("queued", 0)
    assert [attempt["outcome"] for attempt in job.attempts] == ["snoozed"] * 4
    with raw_server(http_answer(b'{"status": "completed", "output": []}')) as server:
        next_probe(shop, clock, attempts_at(shop.attempts.runs, shop.calls, open_client(server.url)))
    job = shop.bench.job(job.number)
    assert (job.status, job.attempts_spent) == ("completed", 1)


def test_what_may_have_been_billed_spends_an_attempt_though_the_endpoint_is_down(shop: Shop, open_client: Open) -> None:
    broken = http_answer(b'{"error": {"code": "InternalServiceError"}}', status="500 Broken")
    with raw_server(broken) as server:
        attempts = attempts_at(shop.attempts.runs, shop.calls, open_client(server.url))
        numbers = []
        for _ in range(3):
            numbers.append(shop.submit())
            attempts.make(shop.claim())
    assert [shop.bench.job(number).attempts_spent for number in numbers] == [1, 1, 1]
    assert shop.bench.lanes.get(LANE).state != "open"


def test_faults_that_end_their_jobs_open_the_breaker_too(shop: Shop, open_client: Open) -> None:
    for _ in range(3):
        assert after(http_answer(b"<html>", status="500 Broken"), shop, open_client, max_attempts=1).status == "failed"
    assert shop.bench.lanes.get(LANE).state != "open"


def test_no_connection_counts_as_a_fault_and_spends_nothing(shop: Shop, open_client: Open) -> None:
    attempts = attempts_at(shop.attempts.runs, shop.calls, open_client("http://127.0.0.1:1"))
    number = shop.submit(max_attempts=1)
    for _ in range(3):
        attempts.make(shop.claim())
    assert shop.bench.job(number).attempts_spent == 0
    lane = shop.bench.lanes.get(LANE)
    assert lane.state != "open"
    assert lane.reason == "upstream_unreachable"
