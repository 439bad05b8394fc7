import json
from typing import Any

import pytest

from schemas.output import complete_output
from schemas.stream_event import StreamEvents, encode

RESPONSE = "resp_" + "a" * 32
Event = dict[str, Any]
ITEM_ADDED: Event = {"type": "response.output_item.added", "output_index": 0, "item": {"type": "message", "id": "m"}}
PART_ADDED: Event = {"type": "response.content_part.added", "part": {"type": "output_text", "text": ""}}
TEXT_PLACE = {"item_id": "m", "output_index": 0, "content_index": 0}


def completed(*events: Event) -> list[Event | None]:
    stream = StreamEvents(RESPONSE)
    return [stream.complete(event) for event in events]


def last(*events: Event) -> Event:
    found = completed(*events)[-1]
    assert found is not None
    return found


@pytest.mark.parametrize(
    "kind",
    [
        "response.created",
        "response.queued",
        "response.in_progress",
        "response.completed",
        "response.failed",
        "response.incomplete",
        "response.cancelled",
        "error",
        "keepalive",
        "ping",
    ],
)
def test_what_the_record_tells_is_not_handed_on(kind: str) -> None:
    stream = StreamEvents(RESPONSE)
    assert stream.complete({"type": kind, "response": {}}) is None
    assert not stream.lossy


@pytest.mark.parametrize("kind", [None, 1, "", "a b", "a\nevent: b", "x" * 129, "é"])
def test_a_type_that_fits_in_no_line_is_not_handed_on(kind: object) -> None:
    assert completed({"type": kind}) == [None]


def test_an_event_of_an_unknown_type_stays_as_it_is_without_its_number() -> None:
    event = {"type": "ark:thinking", "a": [1, None], "sequence_number": 7}
    assert last(event) == {"type": "ark:thinking", "a": [1, None]}


def test_a_delta_gets_the_id_the_place_and_the_list_that_it_lacks() -> None:
    found = last(ITEM_ADDED, PART_ADDED, {"type": "response.output_text.delta", "delta": "hi"})
    assert found == {"type": "response.output_text.delta", **TEXT_PLACE, "delta": "hi", "logprobs": []}


@pytest.mark.parametrize("field", ["item_id", "output_index", "content_index", "logprobs"])
@pytest.mark.parametrize("value", [None, "1", 1.5, True, -1, {}])
def test_a_value_of_another_type_is_replaced(field: str, value: object) -> None:
    event = {"type": "response.output_text.done", **TEXT_PLACE, "text": "hi", "logprobs": [], field: value}
    assert last(ITEM_ADDED, PART_ADDED, event) == {
        "type": "response.output_text.done",
        **TEXT_PLACE,
        "text": "hi",
        "logprobs": [],
    }


def test_log_probabilities_are_completed_as_those_of_a_response() -> None:
    event = {"type": "response.output_text.delta", "delta": "a", "logprobs": [{"token": "a", "logprob": -1}, 5]}
    assert last(ITEM_ADDED, PART_ADDED, event)["logprobs"] == [
        {"bytes": [97], "token": "a", "logprob": -1, "top_logprobs": []}
    ]


def test_an_item_without_id_gets_the_one_that_the_final_response_will_have() -> None:
    item = {"type": "function_call", "name": "f"}
    events = completed(ITEM_ADDED, {"type": "response.output_item.added", "item": item})
    final = complete_output([{"type": "message", "id": "m"}, item], response_id=RESPONSE, status="completed")
    assert events[1] is not None
    assert events[1]["item"]["id"] == final[1]["id"] == "fc_" + "a" * 32 + "_1"
    assert (events[1]["output_index"], events[1]["item"]["status"]) == (1, "in_progress")
    assert events[1]["item"]["arguments"] == ""


def test_an_item_that_ends_keeps_the_id_that_it_began_with() -> None:
    done = {"type": "response.output_item.done", "item": {"type": "message", "content": [{"text": "hi"}]}}
    found = last(ITEM_ADDED, done)
    assert (found["output_index"], found["item"]["id"], found["item"]["status"]) == (0, "m", "completed")
    assert found["item"]["content"] == [{"type": "output_text", "text": "hi", "annotations": [], "logprobs": []}]


def test_a_part_that_says_nothing_of_its_place_is_the_next_of_the_latest_item() -> None:
    events = completed(ITEM_ADDED, PART_ADDED, PART_ADDED, PART_ADDED | {"type": "response.content_part.done"})
    assert [event["content_index"] for event in events[1:] if event] == [0, 1, 1]
    assert events[2] == {
        "type": "response.content_part.added",
        "item_id": "m",
        "output_index": 0,
        "content_index": 1,
        "part": {"type": "output_text", "text": "", "annotations": [], "logprobs": []},
    }


def test_an_event_is_told_of_the_item_whose_id_it_has() -> None:
    other = {"type": "response.output_item.added", "item": {"type": "function_call", "id": "f", "name": "look"}}
    delta = {"type": "response.output_text.delta", "item_id": "m", "delta": "a"}
    assert last(ITEM_ADDED, PART_ADDED, other, delta)["output_index"] == 0
    done = {"type": "response.function_call_arguments.done", "item_id": "f", "arguments": "{}"}
    assert last(ITEM_ADDED, other, done) == {**done, "output_index": 1, "name": "look"}


def test_a_summary_of_reasoning_has_its_own_places() -> None:
    item = {"type": "response.output_item.added", "item": {"type": "reasoning", "id": "r"}}
    part = {"type": "response.reasoning_summary_part.added"}
    delta = {"type": "response.reasoning_summary_text.delta", "delta": "a"}
    events = completed(item, part, delta)
    assert events[1:] == [
        {**part, "item_id": "r", "output_index": 0, "summary_index": 0, "part": {"type": "summary_text", "text": ""}},
        {**delta, "item_id": "r", "output_index": 0, "summary_index": 0},
    ]


def test_an_annotation_gets_its_place() -> None:
    event = {"type": "response.output_text.annotation.added", "annotation": {"type": "x"}}
    assert last(ITEM_ADDED, PART_ADDED, event) == {**event, **TEXT_PLACE, "annotation_index": 0}


@pytest.mark.parametrize(
    "events",
    [
        [{"type": "response.output_text.delta", "delta": "of no item"}],
        [ITEM_ADDED, {"type": "response.output_text.delta", "delta": "of no part"}],
        [ITEM_ADDED, PART_ADDED, {"type": "response.output_text.delta", "content_index": 1, "delta": "of another"}],
        [ITEM_ADDED, PART_ADDED, {"type": "response.output_text.delta", "output_index": 1, "delta": "of another"}],
        [ITEM_ADDED, PART_ADDED, {"type": "response.output_text.delta", "delta": None}],
        [ITEM_ADDED, PART_ADDED, {"type": "response.output_text.done"}],
        [PART_ADDED],
        [ITEM_ADDED, ITEM_ADDED],
        [{"type": "response.output_item.done", "item": {"type": "message"}}],
        [{"type": "response.output_item.added", "item": None}],
        [{"type": "response.function_call_arguments.delta", "delta": "{"}],
    ],
)
def test_what_says_too_little_or_was_never_begun_is_left_out_and_known_to_be(events: list[Event]) -> None:
    stream = StreamEvents(RESPONSE)
    found = [stream.complete(event) for event in events]
    assert found[-1] is None
    assert None not in found[:-1]
    assert stream.lossy


def test_items_count_as_done_once_they_are() -> None:
    stream = StreamEvents(RESPONSE)
    stream.complete(ITEM_ADDED)
    stream.complete({"type": "response.output_item.added", "item": {"type": "reasoning"}})
    assert stream.items_done == 0
    stream.complete({"type": "response.output_item.done", "item": {"type": "reasoning"}})
    assert stream.items_done == 1


def test_an_event_is_encoded_in_one_line_for_every_reader() -> None:
    event = {"type": "x", "text": "a\nb\r\u2028\u2029\x85视频"}
    text = encode(event).decode()
    assert len(text.splitlines()) == 1
    assert "视频" in text
    assert json.loads(text) == event
