from typing import Any

import pytest
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from schemas.output import complete_output
from schemas.response_events import item_events

RESPONSE = "resp_" + "a" * 32
EVENTS: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
MESSAGE = {
    "type": "message",
    "content": [
        {"type": "output_text", "text": "hi", "annotations": [{"type": "file_path", "file_id": "f", "index": 0}]},
        {"type": "refusal", "refusal": "no"},
    ],
}
REASONING = {"type": "reasoning", "summary": ["a", "b"], "content": [{"type": "reasoning_text", "text": "c"}]}
CALL = {"type": "function_call", "name": "look", "arguments": '{"a": 1}', "call_id": "c1"}
FOREIGN = {"type": "web_search_call", "id": "w", "status": "completed", "action": {"type": "search", "query": "q"}}


def told(*items: dict[str, Any]) -> list[dict[str, Any]]:
    output = complete_output(list(items), response_id=RESPONSE, status="completed")
    return [{**event, "sequence_number": number} for number, event in enumerate(item_events({"output": output}))]


def types(*items: dict[str, Any]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in told(*items)]


def test_a_message_is_told_part_by_part() -> None:
    assert types(MESSAGE) == [
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.annotation.added",
        "output_text.done",
        "content_part.done",
        "content_part.added",
        "refusal.delta",
        "refusal.done",
        "content_part.done",
        "output_item.done",
    ]


def test_reasoning_is_told_by_its_summary_and_then_its_content() -> None:
    assert types(REASONING) == [
        "output_item.added",
        *["reasoning_summary_part.added", "reasoning_summary_text.delta", "reasoning_summary_text.done"],
        "reasoning_summary_part.done",
        *["reasoning_summary_part.added", "reasoning_summary_text.delta", "reasoning_summary_text.done"],
        "reasoning_summary_part.done",
        *["content_part.added", "reasoning_text.delta", "reasoning_text.done", "content_part.done"],
        "output_item.done",
    ]


def test_a_function_call_is_told_by_its_arguments() -> None:
    added, delta, done, end = told(CALL)
    assert (added["item"]["arguments"], added["item"]["status"]) == ("", "in_progress")
    assert (delta["delta"], done["arguments"], done["name"]) == ('{"a": 1}', '{"a": 1}', "look")
    assert (end["item"]["arguments"], end["item"]["status"]) == ('{"a": 1}', "completed")


def test_an_item_of_another_type_begins_and_ends() -> None:
    added, done = told(FOREIGN)
    assert (added["item"]["status"], done["item"]) == ("in_progress", FOREIGN)


def test_an_empty_text_has_no_delta() -> None:
    assert "output_text.delta" not in types({"type": "message", "content": [{"text": ""}]})


@pytest.mark.parametrize("item", [MESSAGE, REASONING, CALL, FOREIGN])
def test_every_event_is_one_of_the_protocols(item: dict[str, Any]) -> None:
    for event in told(item):
        kept = EVENTS.validate_python(event, strict=True)
        assert kept.type == event["type"]


def test_items_stand_at_their_places_and_the_deltas_make_up_their_texts() -> None:
    found = told(REASONING, MESSAGE, CALL)
    assert [event["output_index"] for event in found] == sorted(event["output_index"] for event in found)
    text = "".join(event["delta"] for event in found if event["type"] == "response.output_text.delta")
    assert text == "hi"
    ids = {event["output_index"]: event["item"]["id"] for event in found if "item" in event}
    assert all(event["item_id"] == ids[event["output_index"]] for event in found if "item_id" in event)
