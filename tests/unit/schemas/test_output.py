from typing import Any

import pytest

from schemas.output import complete_output


def completed(*items: Any, status: str = "completed") -> list[dict[str, Any]]:
    return complete_output(list(items), response_id="resp_X", status=status)


def test_a_message_gets_what_it_lacks() -> None:
    assert completed({"type": "message", "content": [{"type": "output_text", "text": "hi"}]}) == [
        {
            "type": "message",
            "content": [{"type": "output_text", "text": "hi", "annotations": [], "logprobs": []}],
            "id": "msg_X_0",
            "status": "completed",
            "role": "assistant",
        }
    ]


def test_ids_are_the_same_at_every_reading_and_an_items_own_id_stays() -> None:
    items = [
        {"type": "reasoning"},
        {"type": "message", "id": "msg_own"},
        {"type": "function_call"},
        {"type": "web_search_call"},
    ]
    ids = [item["id"] for item in completed(*items)]
    assert ids == ["rs_X_0", "msg_own", "fc_X_2", "item_X_3"]
    assert completed(*items) == completed(*items)
    assert completed(*completed(*items)) == completed(*items)


@pytest.mark.parametrize("value", [None, "x", 1, {}, {"type": "message"}, [None, 1, "x", [], {}]])
def test_what_is_no_list_of_items_is_empty(value: Any) -> None:
    assert complete_output(value, response_id="resp_X", status="completed") == []


def test_an_item_of_an_unknown_type_is_kept_as_it_came_with_an_id() -> None:
    assert completed({"type": "acme:thing", "content": 5, "status": "odd"}) == [
        {"type": "acme:thing", "content": 5, "status": "odd", "id": "item_X_0"}
    ]


def test_a_message_is_known_by_its_content_too() -> None:
    assert completed({"role": "assistant", "content": "hi"})[0]["type"] == "message"


@pytest.mark.parametrize(
    ("status", "last"),
    [
        ("completed", "completed"),
        ("incomplete", "incomplete"),
        ("in_progress", "in_progress"),
        ("failed", "incomplete"),
        ("cancelled", "incomplete"),
    ],
)
def test_only_the_last_item_can_have_been_under_way(status: str, last: str) -> None:
    items = completed({"type": "reasoning"}, {"type": "message", "status": "odd"}, status=status)
    assert [item["status"] for item in items] == ["completed", last]


def test_a_function_call_gets_what_it_lacks() -> None:
    (call,) = completed({"type": "function_call", "name": "f", "arguments": {"a": 1}, "namespace": 5})
    assert call == {
        "type": "function_call",
        "name": "f",
        "arguments": '{"a": 1}',
        "id": "fc_X_0",
        "status": "completed",
        "call_id": "fc_X_0",
    }


def test_what_a_function_returned_is_text_or_parts() -> None:
    parts = [{"type": "input_text", "text": "a"}]
    outputs = [
        item["output"]
        for item in completed(*({"type": "function_call_output", "output": o} for o in ("a", parts, {"a": 1})))
    ]
    assert outputs == ["a", parts, '{"a": 1}']


def test_reasoning_has_a_summary_and_no_content_of_our_making() -> None:
    (plain,) = completed({"type": "reasoning", "summary": None})
    assert plain["summary"] == []
    assert "content" not in plain
    (full,) = completed(
        {"type": "reasoning", "summary": "short", "content": [{"text": "long"}], "encrypted_content": 1}
    )
    assert full["summary"] == [{"type": "summary_text", "text": "short"}]
    assert full["content"] == [{"type": "reasoning_text", "text": "long"}]
    assert "encrypted_content" not in full


def test_completed_items_can_be_sent_back_as_input(mistakes_with: Any) -> None:
    items = completed(
        {"type": "reasoning", "summary": [{"text": "a"}], "content": ["b"]},
        {"type": "message", "content": [{"type": "output_text", "text": "hi"}, {"type": "refusal"}]},
        {"type": "function_call", "name": "f"},
        {"type": "function_call_output", "output": "1"},
        {"type": "web_search_call", "action": {}},
        {"type": "compaction"},
    )
    assert mistakes_with(input=items) == {}
