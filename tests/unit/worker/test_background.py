import json
import logging
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from threading import Event
from typing import Any

import pytest
import requests

from jobs.lanes import lane_of
from jobs.prices import Price
from jobs.record import Job, Stage
from jobs.usage import UsageLedger
from tests.factories import MODEL
from tests.fakes.raw_server import http_answer, raw_server
from tests.fakes.waiting import wait_until
from tests.unit.worker.conftest import Shop, attempts_at
from worker.calls import OUT_OF_TIME, Calls
from worker.responses_client import ResponsesClient

LANE = lane_of(MODEL)
BEGUN = http_answer(b'{"id": "resp_up", "status": "queued", "output": []}')
DONE = b'{"id": "resp_up", "status": "completed", "output": [], "usage": {"input_tokens": 3, "output_tokens": 4}}'
CANCELLED = DONE.replace(b"completed", b"cancelled")
PRICES = {MODEL: Price(input=2.0, cached=2.0, output=3.0)}
COST = 3 * 2000 + 4 * 3000
Script = dict[bytes, bytes]


def calls_for(sandbox: str, number: str) -> list[dict[str, Any]]:
    """What the sandbox recorded of the job's calls."""
    found = requests.get(f"{sandbox}/sandbox/requests", timeout=10).json()["data"]
    return [call for call in found if call["idempotency_key"] == f"job_{number}"]


def upstream_id(shop: Shop, number: str) -> str:
    return (shop.bench.client.hget(f"{{respool}}:job:{number}", "upstream") or b"").decode()


def begun(shop: Shop, fault: str, **changes: Any) -> str:
    """The number of a job whose response has begun upstream."""
    number = shop.submit(fault, **changes)
    shop.take()
    wait_until(lambda: upstream_id(shop, number) != "")
    return number


def run_against(
    script: Script, shop: Shop, open_client: Callable[..., ResponsesClient], **changes: Any
) -> tuple[Job, list[str]]:
    """The job after an attempt at an endpoint that answers by how each request begins, and those beginnings."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(next(data for words, data in script.items() if server.requests[-1].startswith(words)))

    with raw_server(answer) as server:
        attempts = attempts_at(shop.attempts.runs, shop.calls, open_client(server.url), background=True)
        number = shop.submit(**changes)
        attempts.make(shop.claim())
    return shop.bench.job(number), [request.split(b" HTTP")[0].decode() for request in server.requests]


POST, GET, CANCEL = b"POST /responses HTTP", b"GET /responses/resp_up HTTP", b"POST /responses/resp_up/cancel HTTP"


@contextmanager
def two_at_one_response(
    shop: Shop, open_client: Callable[..., ResponsesClient]
) -> Iterator[tuple[str, Callable[[int], None]]]:
    """A job whose worker was taken for dead while it polled, so that another polls the same response.

    Gives the job's number, and what lets an attempt (0 or 1) have its answer and close.
    """
    gates, asked = (Event(), Event()), count()

    def answer(connection: socket.socket) -> None:
        begins = server.requests[-1].startswith(POST)
        if not begins:
            gates[next(asked)].wait(30)
        connection.sendall(BEGUN if begins else http_answer(DONE))

    def polls() -> int:
        return sum(request.startswith(GET) for request in server.requests)

    def let(place: int) -> None:
        gates[place].set()
        made[place].result(30)

    with raw_server(answer) as server, ThreadPoolExecutor(2) as pool:
        made = []
        number = shop.submit()
        for worker in ("w1", "w2"):
            attempts = attempts_at(
                shop.bench.runs(worker), Calls(), open_client(server.url), background=True, prices=PRICES
            )
            made.append(pool.submit(attempts.make, shop.claim(worker)))
            wait_until(lambda: polls() == len(made))
            if worker == "w1":
                shop.bench.kill("w1")
                shop.bench.sweep()
                shop.bench.client.delete("{respool}:dispatcher")
        yield number, let


def spent_today(shop: Shop) -> tuple[int, int, int]:
    """Tokens by the project's budget and by the ledger, and the ledger's cost."""
    ledger = UsageLedger(shop.bench.client)
    (row,) = ledger.rows(project="default", first=ledger.today(), last=ledger.today())
    counts = row.counts
    return shop.bench.projects.get("default").tokens_today, counts["total_tokens"], counts["cost_nano"]


def test_a_response_is_begun_once_and_polled_to_its_end(background_shop: Shop, sandbox: str) -> None:
    job = background_shop.run("delay=0.5")
    assert (job.status, job.attempts_spent) == ("completed", 1)
    assert job.response is not None
    assert (job.response["id"], job.usage) == (job.response_id, job.response["usage"])
    (attempt,) = job.attempts
    (call,) = calls_for(sandbox, job.number)
    assert (attempt["delivery"], attempt["upstream_response_id"]) == ("answered", call["response_id"])
    assert call["polls"] >= 1
    assert {"background", "store"} <= set(call["body_keys"])


def test_the_id_is_in_the_record_and_in_the_entry_while_the_response_runs(background_shop: Shop) -> None:
    number = begun(background_shop, "hang")
    (attempt,) = background_shop.bench.job(number).attempts
    assert attempt["upstream_response_id"] == upstream_id(background_shop, number)
    assert (attempt["outcome"], background_shop.bench.job(number).status) == ("running", "in_progress")


def test_what_must_not_be_stored_is_called_plainly(background_shop: Shop, sandbox: str) -> None:
    body = json.dumps({"model": MODEL, "input": "hello", "stream": False, "store": False}).encode()
    number = background_shop.bench.submit(body=body)
    background_shop.take()
    background_shop.rest()
    assert background_shop.bench.job(number).status == "completed"
    (call,) = calls_for(sandbox, number)
    assert (call["polls"], "background" in call["body_keys"]) == (0, False)


def test_an_answer_that_is_whole_at_once_is_taken(shop: Shop, open_client: Callable[..., ResponsesClient]) -> None:
    job, lines = run_against({POST: http_answer(DONE)}, shop, open_client)
    assert (job.status, lines) == ("completed", ["POST /responses"])


def test_a_refusal_of_the_background_is_remembered_and_told_once(
    shop: Shop, open_client: Callable[..., ResponsesClient], caplog: pytest.LogCaptureFixture
) -> None:
    refusal = http_answer(b'{"error": {"message": "no", "param": "background"}}', status="400 Bad Request")

    def answer(connection: socket.socket) -> None:
        asked = b'"background":true' in server.requests[-1]
        connection.sendall(refusal if asked else http_answer(DONE))

    with raw_server(answer) as server, caplog.at_level(logging.WARNING):
        attempts = attempts_at(shop.attempts.runs, shop.calls, open_client(server.url), background=True)
        for _ in range(2):
            number = shop.submit()
            attempts.make(shop.claim())
            assert shop.bench.job(number).status == "completed"
    assert [b'"background":true' in request for request in server.requests] == [True, False, False]
    assert caplog.text.count("makes no background responses") == 1


@pytest.mark.parametrize(
    ("on_unknown", "status", "code"), [("retry", "queued", None), ("fail", "failed", "outcome_unknown")]
)
def test_a_lost_response_has_an_unknown_outcome(
    on_unknown: str, status: str, code: str | None, background_shop: Shop
) -> None:
    job = background_shop.run("lost", on_unknown=on_unknown)
    assert (job.status, job.error and job.error["code"]) == (status, code)
    (attempt,) = job.attempts
    assert (attempt["error"]["code"], attempt["delivery"], attempt["may_be_billed"]) == ("upstream_lost", "sent", True)
    assert attempt["upstream_response_id"]
    assert upstream_id(background_shop, job.number) == "" or status == "failed"


def test_a_failed_response_that_passes_spends_an_attempt_and_is_begun_anew(background_shop: Shop, sandbox: str) -> None:
    job = background_shop.run("shape=status_failed;code=server_error")
    assert (job.status, job.attempts_spent, upstream_id(background_shop, job.number)) == ("queued", 1, "")
    background_shop.bench.make_due("delayed")
    background_shop.bench.sweep()
    background_shop.take()
    background_shop.rest()
    assert len(calls_for(sandbox, job.number)) == 2


@pytest.mark.parametrize("why", ["the worker was killed", "the worker stopped"])
def test_a_successor_polls_what_an_earlier_attempt_began_and_no_attempt_is_spent(
    why: str, background_shop: Shop, sandbox: str, open_client: Callable[..., ResponsesClient]
) -> None:
    shop = background_shop
    number = begun(shop, "delay=1.5", on_unknown="fail", max_attempts=1)
    assert shop.crew.finish(grace_seconds=0) == 1
    if why == "the worker stopped":
        assert shop.bench.workers.leave("w1") == 1
    else:
        shop.bench.kill("w1")
        shop.bench.sweep()
    shop.bench.client.delete("{respool}:dispatcher")
    claim = shop.claim("w2")
    client = open_client(f"{sandbox}/v1")
    attempts_at(shop.bench.runs("w2"), Calls(), client).make(claim)  # no matter what the account makes by now
    job = shop.bench.job(number)
    assert (job.status, job.attempts_spent) == ("completed", 1)
    assert [attempt["outcome"] for attempt in job.attempts] == ["lost", "completed"]
    (call,) = calls_for(sandbox, number)
    assert {attempt["upstream_response_id"] for attempt in job.attempts} == {call["response_id"]}
    assert call["cancels"] == 0


def test_a_cancelled_job_is_cancelled_upstream(background_shop: Shop, sandbox: str) -> None:
    number = begun(background_shop, "hang")
    background_shop.bench.store.cancel(number, project=None)
    background_shop.crew.cancel([number])
    background_shop.rest()
    wait_until(lambda: calls_for(sandbox, number)[0]["response_status"] == "cancelled")
    (call,) = calls_for(sandbox, number)
    assert call["cancels"] == 1
    assert background_shop.bench.job(number).status == "cancelled"
    assert background_shop.bench.slots(LANE) == set()


def test_a_response_beyond_its_time_is_cancelled_upstream_and_spends_an_attempt(
    background_shop: Shop, sandbox: str
) -> None:
    number = begun(background_shop, "hang", run_timeout_seconds=0.1)
    background_shop.calls.hang_up(number, OUT_OF_TIME)
    background_shop.rest()
    job = background_shop.bench.job(number)
    assert (job.status, job.attempts_spent, job.attempts[0]["error"]["code"]) == ("queued", 1, "run_timeout")
    assert job.attempts[0]["may_be_billed"]
    assert calls_for(sandbox, number)[0]["cancels"] == 1
    assert upstream_id(background_shop, number) == ""


def hung_up(
    cancelled: bytes, shop: Shop, open_client: Callable[..., ResponsesClient], *, why: str
) -> tuple[Job, list[str]]:
    """The job whose call was hung up on at its first poll, at an endpoint that answers so to the cancel."""

    def answer(connection: socket.socket) -> None:
        request = server.requests[-1]
        if request.startswith(GET):
            if why == "cancelled":
                shop.bench.store.cancel(number, project=None)
            shop.calls.hang_up(number, why)
            return
        connection.sendall(cancelled if request.startswith(CANCEL) else BEGUN)

    with raw_server(answer) as server:
        attempts = attempts_at(shop.attempts.runs, shop.calls, open_client(server.url), background=True)
        number = shop.submit()
        attempts.make(shop.claim())
    return shop.bench.job(number), [request.split(b" HTTP")[0].decode() for request in server.requests]


def test_the_usage_that_a_cancel_tells_is_booked(shop: Shop, open_client: Callable[..., ResponsesClient]) -> None:
    job, lines = hung_up(http_answer(CANCELLED), shop, open_client, why="cancelled")
    assert lines == ["POST /responses", "GET /responses/resp_up", "POST /responses/resp_up/cancel"]
    assert job.status == "cancelled"
    assert job.attempts[0]["usage"]["total_tokens"] == 7
    assert job.attempts[0]["upstream_response_id"] == "resp_up"


def test_a_response_that_ended_well_before_its_cancel_came_is_kept(
    shop: Shop, open_client: Callable[..., ResponsesClient]
) -> None:
    job, _ = hung_up(http_answer(DONE), shop, open_client, why=OUT_OF_TIME)
    assert (job.status, job.attempts_spent) == ("completed", 1)
    assert job.usage is not None
    assert job.usage["total_tokens"] == 7


@pytest.mark.parametrize("broken", [b"", b"HTTP/1.1 2", http_answer(b"<html>", status="500 Broken")])
def test_a_cancel_that_goes_wrong_changes_nothing(
    broken: bytes, shop: Shop, open_client: Callable[..., ResponsesClient]
) -> None:
    job, lines = hung_up(broken, shop, open_client, why=OUT_OF_TIME)
    assert (job.status, job.attempts[0]["error"]["code"]) == ("queued", "run_timeout")
    assert lines[-1] == "POST /responses/resp_up/cancel"


def test_a_response_begun_for_a_job_that_is_gone_is_cancelled_and_nothing_but_the_entry_is_written(
    shop: Shop, open_client: Callable[..., ResponsesClient]
) -> None:
    def answer(connection: socket.socket) -> None:
        shop.bench.store.cancel(number, project=None)
        connection.sendall(http_answer(CANCELLED) if server.requests[-1].startswith(CANCEL) else BEGUN)

    with raw_server(answer) as server:
        attempts = attempts_at(shop.attempts.runs, shop.calls, open_client(server.url), background=True)
        number = shop.submit()
        claim = shop.claim()
        shop.bench.client.hset(f"{{respool}}:job:{number}", "worker", "w2")  # another one has it by now
        shop.attempts.runs.mark_sent = lambda _: True  # type: ignore[method-assign]
        attempts.make(claim)
    assert [request.split(b" HTTP")[0].decode() for request in server.requests] == [
        "POST /responses",
        "POST /responses/resp_up/cancel",
    ]
    job = shop.bench.job(number)
    assert (job.status, upstream_id(shop, number)) == ("cancelled", "")
    assert job.attempts[0]["usage"]["total_tokens"] == 7


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_an_account_that_may_not_poll_holds_the_lane_and_keeps_the_response(
    status: str, shop: Shop, open_client: Callable[..., ResponsesClient]
) -> None:
    refusal = http_answer(b'{"error": {"code": "AccountOverdueError", "message": "m"}}', status=status)
    job, lines = run_against({POST: BEGUN, GET: refusal}, shop, open_client, max_attempts=1, on_unknown="fail")
    assert lines == ["POST /responses", "GET /responses/resp_up"]
    assert (job.status, job.attempts_spent, job.stage) == ("queued", 0, Stage.WAITING)
    assert upstream_id(shop, job.number) == "resp_up"
    (attempt,) = job.attempts
    assert (attempt["outcome"], attempt["delivery"], attempt["may_be_billed"]) == ("snoozed", "sent", False)
    lane = shop.bench.lanes.get(LANE)
    assert (lane.state, lane.reason) == ("probing", "AccountOverdueError")


def test_an_answer_that_leaves_no_request_pauses_the_lane_while_the_response_runs(
    shop: Shop, open_client: Callable[..., ResponsesClient]
) -> None:
    last = http_answer(
        b'{"id": "resp_up", "status": "queued"}',
        *("x-ratelimit-limit-requests: 9", "x-ratelimit-remaining-requests: 0", "x-ratelimit-reset-requests: 9s"),
    )
    states = []

    def answer(connection: socket.socket) -> None:
        if server.requests[-1].startswith(GET):
            states.append(shop.bench.client.hget(f"{{respool}}:lane:{LANE}", "pause_reason"))
        connection.sendall(http_answer(DONE) if server.requests[-1].startswith(GET) else last)

    with raw_server(answer) as server:
        attempts = attempts_at(shop.attempts.runs, shop.calls, open_client(server.url), background=True)
        number = shop.submit()
        attempts.make(shop.claim())
    assert shop.bench.job(number).status == "completed"
    assert states == [b"rate_limit_requests"]


def test_a_later_attempt_of_the_same_worker_polls_on_and_the_earlier_one_is_charged_nothing(
    background_shop: Shop, sandbox: str
) -> None:
    shop = background_shop
    number = begun(shop, "delay=2")
    shop.bench.kill("w1")
    shop.bench.sweep()
    shop.take()
    shop.rest()
    job = shop.bench.job(number)
    first, second = job.attempts
    assert (job.status, job.attempts_spent, len(calls_for(sandbox, number))) == ("completed", 1, 1)
    assert (first["error"]["code"], first["may_be_billed"]) == ("called_off", False)
    assert first["upstream_response_id"] == second["upstream_response_id"]


def test_a_worker_that_stops_leaves_the_upstream_at_work_and_writes_nothing(
    background_shop: Shop, sandbox: str
) -> None:
    number = begun(background_shop, "hang")
    assert background_shop.crew.finish(grace_seconds=0) == 1
    job = background_shop.bench.job(number)
    assert (job.status, job.attempts[0]["outcome"]) == ("in_progress", "running")
    assert calls_for(sandbox, number)[0]["cancels"] == 0


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_attempts_at_one_response_are_paid_for_once(
    order: tuple[int, int], shop: Shop, open_client: Callable[..., ResponsesClient]
) -> None:
    with two_at_one_response(shop, open_client) as (number, let):
        for place in order:
            let(place)
    job = shop.bench.job(number)
    assert (job.status, job.attempts_spent, job.nano) == ("completed", 1, COST)
    assert [attempt["usage"]["total_tokens"] for attempt in job.attempts] == [7, 7]
    assert {attempt["upstream_response_id"] for attempt in job.attempts} == {"resp_up"}
    assert spent_today(shop) == (7, 7, COST)
