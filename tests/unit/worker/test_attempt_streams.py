"""What an attempt leaves in the event log of its job."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from jobs.event_log import EventLog, Look
from tests.factories import MODEL
from tests.fakes.raw_server import chunked_answer, http_answer, raw_server
from tests.fakes.small_answer import DONE_ITEM, STREAMED
from tests.unit.worker.conftest import Shop, attempts_at
from worker.responses_client import ResponsesClient

ECHO = json.dumps({"model": MODEL, "stream": True})
COMPLETED: dict[str, Any] = {"type": "response.completed", "response": {"id": "r", "output": [DONE_ITEM]}}


def look(shop: Shop, number: str) -> Look:
    found = EventLog(shop.bench.client).look(number, after=2)
    assert found is not None
    return found


def types(shop: Shop, number: str) -> list[str]:
    return [entry.type for entry in look(shop, number).entries]


def made(shop: Shop, client: ResponsesClient, **changes: Any) -> str:
    """The number of a job that was asked for as a stream, and at which one attempt was made by the client."""
    number = shop.bench.submit(**{"echo": ECHO} | changes)
    attempts = attempts_at(shop.attempts.runs, shop.calls, client)
    attempts.make(shop.claim())
    attempts.logs.close()
    return number


def streamed(*events: dict[str, Any], names: bool = True, end: bytes = b"data: [DONE]\n\n") -> bytes:
    name = "event: {type}\n" if names else ""
    told = [f"{name.format(type=event['type'])}data: {json.dumps(event)}\n\n".encode() for event in events]
    return http_answer(b"".join(told) + end, kind="text/event-stream")


def test_a_stream_that_the_caller_asked_for_is_kept_event_by_event(shop: Shop) -> None:
    job = shop.run(stream=True, echo=ECHO)
    found = look(shop, job.number)
    assert (job.status, found.whole) == ("completed", True)
    events = [json.loads(entry.event) for entry in found.entries]
    assert events[0]["type"] == "response.output_item.added"
    assert events[-1]["type"] == "response.output_item.done"
    assert not {"response.created", "response.in_progress", "response.completed"} & {event["type"] for event in events}
    assert not any("sequence_number" in event for event in events)
    assert job.response is not None
    text = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
    assert text == job.response["output"][-1]["content"][0]["text"]
    assert events[-1]["item"] == job.response["output"][-1]


@pytest.mark.parametrize("stream", [True, False])
def test_of_a_stream_that_nobody_asked_for_nothing_is_kept(stream: bool, shop: Shop) -> None:
    job = shop.run(stream=stream)
    assert (job.status, types(shop, job.number)) == ("completed", [])


@pytest.mark.parametrize("names", [True, False])
@pytest.mark.parametrize("end", [b"data: [DONE]\n\n", b""])
def test_it_is_kept_with_or_without_event_lines_and_done(
    names: bool, end: bytes, shop: Shop, open_client: Callable[..., ResponsesClient]
) -> None:
    numbered = [{**event, "sequence_number": place} for place, event in enumerate([*STREAMED, COMPLETED])]
    with raw_server(streamed(*numbered, names=names, end=end)) as server:
        number = made(shop, open_client(server.url))
    found = look(shop, number)
    assert [json.loads(entry.event) for entry in found.entries] == STREAMED
    assert (found.status, found.whole) == ("completed", True)


def test_an_answer_at_once_to_one_who_asked_for_a_stream_leaves_no_log(
    shop: Shop, open_client: Callable[..., ResponsesClient]
) -> None:
    answer = json.dumps(COMPLETED["response"] | {"status": "completed"}).encode()
    with raw_server(http_answer(answer)) as server:
        found = look(shop, made(shop, open_client(server.url)))
    assert (found.status, list(found.entries), found.whole) == ("completed", [], False)


def test_a_stream_that_tells_its_end_alone_leaves_no_log(
    shop: Shop, open_client: Callable[..., ResponsesClient]
) -> None:
    with raw_server(streamed(COMPLETED)) as server:
        found = look(shop, made(shop, open_client(server.url)))
    assert (found.status, list(found.entries), found.whole) == ("completed", [], False)


def test_a_stream_that_does_not_end_its_items_is_kept_and_not_whole(
    shop: Shop, open_client: Callable[..., ResponsesClient]
) -> None:
    with raw_server(streamed(*STREAMED[:3], COMPLETED)) as server:
        found = look(shop, made(shop, open_client(server.url)))
    assert (len(found.entries), found.whole, found.superseded) == (3, False, True)


def test_a_stream_that_breaks_leaves_what_came_and_is_declared_void_by_the_next(
    shop: Shop, open_client: Callable[..., ResponsesClient]
) -> None:
    body = b"".join(b"data: %s\n\n" % json.dumps(event).encode() for event in STREAMED[:3])
    broken = chunked_answer(body, kind="text/event-stream").removesuffix(b"0\r\n\r\n")
    with raw_server(broken) as server:
        number = made(shop, open_client(server.url))
    assert shop.bench.job(number).status == "queued"
    assert types(shop, number) == [event["type"] for event in STREAMED[:3]]
    shop.bench.make_due("delayed")
    shop.bench.sweep()
    with raw_server(streamed(*STREAMED, COMPLETED)) as server:
        attempts = attempts_at(shop.attempts.runs, shop.calls, open_client(server.url))
        attempts.make(shop.claim())
        attempts.logs.close()
    found = look(shop, number)
    assert [entry.type for entry in found.entries][3:] == [
        "respool:attempt.restarted",
        *[event["type"] for event in STREAMED],
    ]
    assert (found.status, found.whole, found.void) == ("completed", True, 6)


def test_odd_events_do_not_cost_the_answer(shop: Shop, open_client: Callable[..., ResponsesClient]) -> None:
    odd: list[dict[str, Any]] = [
        {"type": "response.output_item.added", "output_index": "x", "item": {"type": 5}},
        {"type": "response.output_text.delta", "item_id": {}, "delta": "a"},
        {"type": "response.content_part.added", "part": []},
        {"type": "response.output_item.done", "item": {"type": "message", "content": {"a": [None]}}},
        {"type": ["a"]},
    ]
    with raw_server(streamed(*odd, COMPLETED, names=False)) as server:
        job = shop.bench.job(made(shop, open_client(server.url)))
    assert (job.status, job.attempts_spent) == ("completed", 1)
