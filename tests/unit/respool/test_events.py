import json
from collections.abc import Sequence
from typing import Any

import pytest

from respool.errors import Refused
from respool.events import follow_events, is_final
from tests.fakes.small_api import Answer, Request, answering, query


def event(number: int, kind: str = "response.output_text.delta", **more: Any) -> dict[str, Any]:
    return {"type": kind, "sequence_number": number, **more}


def frames(events: Sequence[dict[str, Any]]) -> bytes:
    return b"".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode() for one in events)


STREAM = {"Content-Type": "text/event-stream"}
EVENTS = [event(0, "response.created"), event(1), event(2), event(3, "response.completed")]


def test_a_stream_that_is_cut_goes_on_behind_the_last_event_that_came() -> None:
    def answer(number: int, request: Request) -> Answer:
        after = int(query(request).get("starting_after", -1))
        body = frames(EVENTS[after + 1 : after + 3])
        # The second answer breaks off in the middle of an event.
        return (200, STREAM, body if number != 1 else body[:-20])

    with answering(answer) as (api, asked):
        assert list(follow_events(api.session, "resp_1")) == EVENTS
        assert [query(request).get("starting_after") for request in asked] == [None, "1", "2"]
        assert query(asked[0])["stream"] == "true"


def test_comments_and_what_is_no_event_are_passed_over() -> None:
    body = b": ping\n\ndata: [DONE]\n\ndata: {nonsense\n\nretry: 1\n\n" + frames(EVENTS)
    with answering(lambda *_: (200, STREAM, body)) as (api, _):
        assert list(follow_events(api.session, "resp_1")) == EVENTS


def test_an_event_of_many_pieces_is_put_together() -> None:
    large = event(0, "response.completed", text="x" * 3_000_000)
    with answering(lambda *_: (200, STREAM, frames([large]))) as (api, _):
        assert list(follow_events(api.session, "resp_1")) == [large]


def test_a_refusal_ends_it() -> None:
    with answering(lambda *_: (404, {}, {"error": {"message": "no"}})) as (api, asked):
        with pytest.raises(Refused):
            list(follow_events(api.session, "resp_1"))
        assert len(asked) == 1


@pytest.mark.parametrize(
    ("one", "final"),
    [
        (event(0, "response.completed"), True), (event(0, "response.failed"), True),
        (event(0, "response.incomplete"), True), (event(0, "response.cancelled"), True),
        (event(0, "error", code="response_deleted"), True), (event(0, "error", code="server_error"), False),
        (event(0, "response.in_progress"), False), ({}, False),
    ],
)  # fmt: skip
def test_the_last_event_is_known(one: dict[str, Any], final: bool) -> None:
    assert is_final(one) is final
