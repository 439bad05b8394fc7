from collections.abc import Callable
from typing import Any

import pytest

from schemas.items import HOSTED_ITEMS, ROLES, type_of_item

With = Callable[..., dict[str, str]]


@pytest.mark.parametrize(
    "item",
    [
        *({"role": role, "content": "hi"} for role in ROLES),
        {
            "type": "message",
            "role": "assistant",
            "id": "msg_1",
            "status": "completed",
            "phase": "final_answer",
            "content": [{"type": "output_text", "text": "a", "annotations": [{"type": "url_citation"}]}],
        },
        {
            "type": "function_call",
            "call_id": "c",
            "name": "f",
            "arguments": "{}",
            "id": None,
            "status": "completed",
            "async": False,
        },
        {"type": "function_call_output", "call_id": "c", "output": ""},
        {
            "type": "function_call_output",
            "call_id": "c",
            "output": [{"type": "input_text", "text": "a"}],
            "status": None,
        },
        {
            "type": "reasoning",
            "id": "rs",
            "summary": [{"type": "summary_text", "text": "a"}],
            "encrypted_content": None,
            "content": [{"type": "reasoning_text", "text": "b"}],
            "status": "in_progress",
        },
        {"type": "item_reference", "id": "msg_1"},
        {"id": "msg_1"},
        *({"type": name, "id": "x", "anything": [1]} for name in HOSTED_ITEMS),
    ],
)
def test_documented_items_are_taken(mistakes_with: With, item: Any) -> None:
    assert mistakes_with(input=[item]) == {}


@pytest.mark.parametrize(
    ("item", "mistakes"),
    [
        ({}, {"role": "is required", "content": "is required"}),
        ({"role": "user"}, {"content": "is required"}),
        ({"role": "user", "content": None}, {"content": "must be a string or a list, got null"}),
        ({"role": "user", "content": {"type": "input_text"}}, {"content": "must be a string or a list, got an object"}),
        ({"role": "user", "content": [["a"]]}, {"content[0]": "must be an object, got a list"}),
        (
            {"role": "user", "content": "a", "status": "done"},
            {"status": 'unknown status "done" (one of these 3: in_progress, completed, incomplete)'},
        ),
        ({"role": "user", "content": "a", "name": "x"}, {"name": "unknown field"}),
        ({"type": "function_call"}, {"call_id": "is required", "name": "is required", "arguments": "is required"}),
        (
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": {}},
            {"arguments": "must be a string, got an object"},
        ),
        ({"type": "function_call_output", "call_id": "c"}, {"output": "is required"}),
        (
            {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text"}]},
            {"output[0].text": "is required"},
        ),
        ({"type": "reasoning", "summary": "a"}, {"summary": "must be a list, got a string"}),
        (
            {"type": "reasoning", "summary": [{"type": "text", "text": ""}]},
            {"summary[0].type": 'unknown type "text" (must be summary_text)'},
        ),
        ({"type": "item_reference"}, {"id": "is required"}),
        ({"type": None, "role": "user", "content": "a"}, {"type": "must be a string, got null"}),
        (1, {"": "must be an object, got 1"}),
    ],
)
def test_a_wrong_item_is_told_at_its_place(mistakes_with: With, item: Any, mistakes: dict[str, str]) -> None:
    found = mistakes_with(input=[{"role": "user", "content": "fine"}, item])
    assert found == {f"input[1].{path}".rstrip("."): message for path, message in mistakes.items()}


def test_an_unknown_role_and_an_unknown_item_type_are_named(mistakes_with: With) -> None:
    assert "did you mean 'user'?" in mistakes_with(input=[{"role": "users", "content": "a"}])["input[0].role"]
    assert "did you mean 'message'?" in mistakes_with(input=[{"type": "mesage"}])["input[0].type"]


@pytest.mark.parametrize(
    ("value", "mistakes"),
    [
        ("", {"input": "must not be empty"}),
        ([], {"input": "must not be empty"}),
        (None, {"input": "must be a string or a list, got null"}),
        ({}, {"input": "must be a string or a list, got an object"}),
        (1, {"input": "must be a string or a list, got 1"}),
        (["hi"], {"input[0]": "must be an object, got a string"}),
    ],
)
def test_an_input_is_a_string_or_a_list_with_something_in_it(
    mistakes_with: With, value: Any, mistakes: dict[str, str]
) -> None:
    assert mistakes_with(input=value) == mistakes


def test_a_lone_id_refers_to_an_item_and_all_else_is_a_message() -> None:
    assert type_of_item({"id": "x"}) == "item_reference"
    assert type_of_item({"id": "x", "role": "user"}) == "message"
    assert type_of_item({}) == "message"
