from typing import Any

import pytest
from openai.types.responses import ResponseItemList

from schemas.input_items import complete_input, items_of, turns
from schemas.request import request_schema

CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
RESULT = {"type": "function_call_output", "call_id": "c", "output": "sunny"}


def message(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "content": list(parts),
        **more,
    }


def text(said: str) -> dict[str, Any]:
    return {"type": "output_text", "text": said, "annotations": [], "logprobs": []}


def test_a_text_is_a_message_of_the_user_and_items_are_themselves() -> None:
    assert items_of("hello") == [{"role": "user", "content": "hello"}]
    assert items_of([CALL, RESULT]) == [CALL, RESULT]


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (message(text("a"), text("b")), [{"role": "assistant", "content": "ab"}]),
        (message({"type": "refusal", "refusal": "no"}), [{"role": "assistant", "content": "no"}]),
        (message({"type": "output_odd", "text": 1}, text("a")), [{"role": "assistant", "content": "a"}]),
        (message(text("a"), phase="commentary"), [{"role": "assistant", "content": "a", "phase": "commentary"}]),
        ({**CALL, "id": "fc_1", "status": "completed", "namespace": None}, [CALL]),
        ({"type": "reasoning", "id": "rs_1", "summary": []}, []),
        ({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": None}, []),
        ({"type": "web_search_call", "id": "ws_1"}, [{"type": "web_search_call", "id": "ws_1"}]),
    ],
)
def test_output_goes_back_in_the_form_that_every_endpoint_takes(item: Any, said: Any) -> None:
    assert turns("q", [item], "next")[1:-1] == said


def test_reasoning_goes_back_as_it_came_where_it_was_made_for_it() -> None:
    sealed = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"}
    assert turns("q", [sealed], "next")[1] == sealed


def test_turns_are_a_valid_input() -> None:
    whole = turns("one", [message(text("a")), CALL], [RESULT, {"role": "user", "content": "two"}])
    assert request_schema(None, "refuse").load({"model": "m", "input": whole})
    assert [item.get("role") for item in whole] == ["user", "assistant", None, None, "user"]


def test_every_item_is_whole_and_the_same_at_every_reading() -> None:
    given = [
        {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"},
        {"role": "user", "content": [{"type": "input_text", "text": "x"}]}, CALL, RESULT,
        {"type": "reasoning", "summary": []}, {"type": "web_search_call"}, {"id": "item_9"},
    ]  # fmt: skip
    items = complete_input(given, number="n")
    assert items == complete_input(given, number="n")
    assert [item["id"] for item in items] == [
        "msg_n_in_0", "msg_n_in_1", "msg_n_in_2", "fc_n_in_3", "fco_n_in_4", "rs_n_in_5", "item_n_in_6", "item_9",
    ]  # fmt: skip
    assert [item.get("status") for item in items] == ["completed"] * 5 + [None] * 3
    assert [item["content"] for item in items[:3]] == [
        [{"type": "input_text", "text": "q"}], [text("a")], [{"type": "input_text", "text": "x"}]
    ]  # fmt: skip
    assert items[-1]["type"] == "item_reference"


def test_an_item_keeps_what_it_has() -> None:
    own = {"id": "msg_x", "type": "message", "role": "user", "status": "incomplete", "content": []}
    assert complete_input([own], number="n") == [own]


def test_parts_have_what_the_protocol_requires_of_them() -> None:
    picture = {"type": "input_image", "image_url": "https://h/x"}
    said = {"type": "output_text", "text": "a", "annotations": None}
    result = {"type": "function_call_output", "call_id": "c", "output": [picture, {"type": "input_text", "text": "x"}]}
    given = [
        {"role": "user", "content": [picture, {**picture, "detail": "low"}]}, {"role": "assistant", "content": [said]},
        result, RESULT,
    ]  # fmt: skip
    items = complete_input(given, number="n")
    assert [part["detail"] for part in items[0]["content"]] == ["auto", "low"]
    assert items[1]["content"] == [text("a")]
    assert items[2]["output"] == [{**picture, "detail": "auto"}, {"type": "input_text", "text": "x"}]
    assert items[3]["output"] == "sunny"
    assert "detail" not in picture
    page = {"object": "list", "data": items, "first_id": "a", "last_id": "b", "has_more": False}
    ResponseItemList.model_validate(page, strict=True)


def test_two_items_of_one_id_are_told_apart() -> None:
    same = {"id": "a", "role": "user", "content": "x"}
    assert [item["id"] for item in complete_input([same, same], number="n")] == ["a", "msg_n_in_1"]
