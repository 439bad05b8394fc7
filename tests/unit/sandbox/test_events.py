import json
from typing import Any

import pytest

from sandbox.events import encode_data, encode_event, events

MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "one  two\nthree ", "annotations": [], "logprobs": []}],
}
REASONING = {
    "id": "rs_1",
    "type": "reasoning",
    "status": "completed",
    "summary": [{"type": "summary_text", "text": "a b"}],
}
CALL = {
    "id": "fc_1",
    "type": "function_call",
    "status": "completed",
    "call_id": "c",
    "name": "n",
    "arguments": '{"a": 1}',
}


def response(*output: dict[str, Any], status: str = "completed") -> dict[str, Any]:
    return {"id": "resp_1", "status": status, "completed_at": 5, "output": list(output), "usage": {"total_tokens": 3}}


def kinds(*output: dict[str, Any]) -> list[str]:
    """The types of all events, a run of deltas as one."""
    found = [event["type"].removeprefix("response.") for event in events(response(*output))]
    return [kind for place, kind in enumerate(found) if place == 0 or kind != found[place - 1]]


def test_a_message_is_told_in_the_protocols_order() -> None:
    assert kinds(MESSAGE) == [
        *("created", "in_progress", "output_item.added", "content_part.added", "output_text.delta"),
        *("output_text.done", "content_part.done", "output_item.done", "completed"),
    ]


def test_reasoning_and_function_calls_are_told_in_their_own_events() -> None:
    assert kinds(REASONING, CALL)[2:-1] == [
        *("output_item.added", "reasoning_summary_part.added", "reasoning_summary_text.delta"),
        *("reasoning_summary_text.done", "reasoning_summary_part.done", "output_item.done"),
        *("output_item.added", "function_call_arguments.delta", "function_call_arguments.done", "output_item.done"),
    ]


def test_events_are_numbered_from_zero_without_a_gap() -> None:
    numbers = [event["sequence_number"] for event in events(response(REASONING, MESSAGE, CALL))]
    assert numbers == list(range(len(numbers)))


@pytest.mark.parametrize("text", ["one  two\nthree ", " ", "", "  a", "视频 是"])
def test_the_deltas_together_are_the_text(text: str) -> None:
    item = {**MESSAGE, "content": [{**MESSAGE["content"][0], "text": text}]}  # type: ignore[index]
    told = list(events(response(item)))
    assert "".join(event["delta"] for event in told if event["type"].endswith(".delta")) == text


@pytest.mark.parametrize("status", ["completed", "incomplete", "failed"])
def test_the_last_event_alone_carries_the_whole_response(status: str) -> None:
    *before, last = events(response(MESSAGE, status=status))
    assert (last["type"], last["response"]) == (f"response.{status}", response(MESSAGE, status=status))
    started = [event["response"] for event in before if "response" in event]
    assert [(one["status"], one["output"], one["usage"]) for one in started] == [("in_progress", [], None)] * 2


def test_an_event_is_one_block_with_its_type_before_its_data() -> None:
    event = {"type": "response.created", "text": "é\n"}
    head, data, *rest = encode_event(event).decode().split("\n")
    assert (head, rest) == ("event: response.created", ["", ""])
    assert json.loads(data.removeprefix("data: ")) == event
    assert encode_data(event) == encode_event(event).partition(b"\n")[2]
