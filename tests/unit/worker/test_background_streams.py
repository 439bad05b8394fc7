"""Responses in the background whose caller asked for a stream: live, and whatever becomes of the connection."""

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest
import requests

from jobs.event_log import EventLog, Look
from jobs.record import Job
from tests.factories import MODEL
from tests.fakes.raw_server import http_answer, raw_server
from tests.fakes.small_answer import DONE_ITEM, STREAMED
from tests.fakes.waiting import wait_until
from tests.unit.worker.conftest import Shop, attempts_at
from worker import background_events
from worker.calls import Calls
from worker.responses_client import ResponsesClient

ECHO = json.dumps({"model": MODEL, "stream": True})
BEGUN = {"type": "response.created", "response": {"id": "resp_up", "status": "queued", "background": True}}
COMPLETED: dict[str, Any] = {"type": "response.completed", "response": {"id": "resp_up", "output": [DONE_ITEM]}}
EVENTS = [{**event, "sequence_number": place} for place, event in enumerate([BEGUN, *STREAMED, COMPLETED])]
POLLED = json.dumps({"id": "resp_up", "status": "completed", "output": [DONE_ITEM]}).encode()
REFUSAL = http_answer(b'{"error": {"message": "no", "param": "stream"}}', status="400 Bad Request")


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background_events, "AGAIN_SECONDS", 0.0)


def look(shop: Shop, number: str) -> Look:
    found = EventLog(shop.bench.client).look(number, after=2)
    assert found is not None
    return found


def types(shop: Shop, number: str) -> list[str]:
    return [entry.type for entry in look(shop, number).entries]


def begun(shop: Shop, fault: str) -> str:
    """The number of a job whose response has told its first delta."""
    number = shop.submit(fault, stream=True, echo=ECHO)
    shop.take()
    wait_until(lambda: "response.output_text.delta" in types(shop, number))
    return number


def call_of(sandbox: str, number: str) -> dict[str, Any]:
    (found,) = [
        call
        for call in requests.get(f"{sandbox}/sandbox/requests", timeout=10).json()["data"]
        if call["idempotency_key"] == f"job_{number}"
    ]
    call: dict[str, Any] = found
    return call


def streamed(*events: dict[str, Any]) -> bytes:
    body = b"".join(f"data: {json.dumps(event)}\n\n".encode() for event in events)
    return http_answer(body, kind="text/event-stream")


def run_against(
    shop: Shop, open_client: Callable[..., ResponsesClient], *answers: bytes
) -> tuple[Job, Look, list[bytes]]:
    """The job after an attempt at an endpoint that answers so, one after the other; its log, and what was asked."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(answers[len(server.requests) - 1])

    with raw_server(answer) as server:
        number = shop.submit(stream=True, echo=ECHO)
        attempts = attempts_at(shop.attempts.runs, shop.calls, open_client(server.url), background=True)
        attempts.make(shop.claim())
        attempts.logs.close()
    return shop.bench.job(number), look(shop, number), server.requests


def test_its_deltas_come_while_it_is_made_and_its_id_is_kept_before(background_shop: Shop, sandbox: str) -> None:
    number = begun(background_shop, "pace=0.1")
    assert background_shop.bench.job(number).status == "in_progress"
    kept = background_shop.bench.client.hget(f"{{respool}}:job:{number}", "upstream")
    background_shop.rest()
    job = background_shop.bench.job(number)
    assert (job.status, look(background_shop, number).whole) == ("completed", True)
    call = call_of(sandbox, number)
    assert (kept, call["background"], call["polls"]) == (call["response_id"].encode(), True, 0)
    assert job.response is not None
    assert job.response["usage"] == job.usage


def test_a_stream_that_breaks_is_taken_up_where_it_was(background_shop: Shop, sandbox: str) -> None:
    job = background_shop.run("cut=middle;pace=0.01", stream=True, echo=ECHO)
    found = look(background_shop, job.number)
    assert (job.status, job.attempts_spent, found.whole, len(job.attempts)) == ("completed", 1, True, 1)
    assert job.response is not None
    told = [json.loads(entry.event) for entry in found.entries]
    text = "".join(event["delta"] for event in told if event["type"] == "response.output_text.delta")
    assert text == job.response["output"][-1]["content"][0]["text"]
    assert call_of(sandbox, job.number)["polls"] == 1


def test_one_that_cannot_be_taken_up_is_polled_to_its_end(background_shop: Shop, sandbox: str) -> None:
    job = background_shop.run("cut=middle;stream=no_resume", stream=True, echo=ECHO)
    found = look(background_shop, job.number)
    assert (job.status, job.attempts_spent, len(job.attempts)) == ("completed", 1, 1)
    assert (found.whole, found.superseded) == (False, True)


def test_events_that_come_again_are_told_once(shop: Shop, open_client: Callable[..., ResponsesClient]) -> None:
    job, found, asked = run_against(shop, open_client, streamed(*EVENTS[:4]), streamed(*EVENTS))
    assert (job.status, found.whole) == ("completed", True)
    assert [json.loads(entry.event) for entry in found.entries] == STREAMED
    assert asked[1].startswith(b"GET /responses/resp_up?stream=true&starting_after=3 ")


def test_one_without_numbers_is_polled_once_it_breaks(shop: Shop, open_client: Callable[..., ResponsesClient]) -> None:
    plain = [{**event} for event in EVENTS[:4]]
    for event in plain:
        del event["sequence_number"]
    job, found, asked = run_against(shop, open_client, streamed(*plain), http_answer(POLLED))
    assert (job.status, found.whole) == ("completed", False)
    assert asked[1].startswith(b"GET /responses/resp_up HTTP")


def test_one_that_broke_after_its_items_is_whole_by_a_poll(
    shop: Shop, open_client: Callable[..., ResponsesClient]
) -> None:
    job, found, _ = run_against(shop, open_client, streamed(*EVENTS[:-1]), http_answer(POLLED))
    assert (job.status, found.whole, len(found.entries)) == ("completed", True, len(STREAMED))


def test_one_that_breaks_before_its_id_is_known_has_an_unknown_outcome(
    shop: Shop, open_client: Callable[..., ResponsesClient]
) -> None:
    job, _, asked = run_against(shop, open_client, streamed({"type": "response.queued"}))
    assert (job.status, job.attempts_spent, len(asked)) == ("queued", 1, 1)
    assert job.attempts[0]["may_be_billed"]


def test_an_endpoint_that_does_not_stream_them_is_asked_without_a_stream_from_then_on(
    shop: Shop, open_client: Callable[..., ResponsesClient]
) -> None:
    client_answers = [REFUSAL, http_answer(POLLED), http_answer(POLLED)]

    def answer(connection: socket.socket) -> None:
        connection.sendall(client_answers[len(server.requests) - 1])

    with raw_server(answer) as server:
        attempts = attempts_at(shop.attempts.runs, shop.calls, open_client(server.url), background=True)
        for _ in range(2):
            number = shop.submit(stream=True, echo=ECHO)
            attempts.make(shop.claim())
            assert shop.bench.job(number).status == "completed"
        attempts.logs.close()
    assert [b'"stream":true' in request for request in server.requests] == [True, False, False]
    assert all(b'"background":true' in request for request in server.requests)


def test_an_endpoint_that_makes_none_is_called_plainly_and_its_id_is_not_kept(
    shop: Shop, open_client: Callable[..., ResponsesClient]
) -> None:
    refusal = REFUSAL.replace(b'"stream"', b'"background"').replace(b"Length: 47", b"Length: 51")
    job, found, asked = run_against(shop, open_client, refusal, refusal, streamed(*EVENTS))
    assert (job.status, found.whole) == ("completed", True)
    assert [b'"background":true' in request for request in asked] == [True, True, False]
    assert not shop.bench.client.hexists(f"{{respool}}:job:{job.number}", "upstream")


def test_a_cancel_reaches_the_upstream(background_shop: Shop, sandbox: str) -> None:
    number = begun(background_shop, "pace=0.2")
    background_shop.bench.store.cancel(number, project=None)
    background_shop.crew.cancel([number])
    background_shop.rest()
    call = call_of(sandbox, number)
    assert (call["cancels"], call["response_status"]) == (1, "cancelled")


def test_a_successor_streams_the_same_response_and_no_attempt_is_spent(
    background_shop: Shop, sandbox: str, open_client: Callable[..., ResponsesClient]
) -> None:
    shop = background_shop
    number = begun(shop, "pace=0.1")
    assert shop.crew.finish(grace_seconds=0) == 1
    shop.bench.kill("w1")
    shop.bench.sweep()
    shop.bench.client.delete("{respool}:dispatcher")
    attempts = attempts_at(shop.bench.runs("w2"), Calls(), open_client(f"{sandbox}/v1"), background=True)
    attempts.make(shop.claim("w2"))
    attempts.logs.close()
    job, found = shop.bench.job(number), look(shop, number)
    assert (job.status, job.attempts_spent, found.whole) == ("completed", 1, True)
    assert [attempt["outcome"] for attempt in job.attempts] == ["lost", "completed"]
    assert types(shop, number).count("respool:attempt.restarted") == 1
    assert call_of(sandbox, number)["cancels"] == 0
