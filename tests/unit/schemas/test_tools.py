from collections.abc import Callable
from typing import Any

import pytest

With = Callable[..., dict[str, str]]


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "function", "name": "f"},
        {"type": "function", "name": "f", "description": None, "parameters": {"type": "object"}, "strict": True},
        {"type": "web_search", "max_keyword": 3, "sources": ["a"]},
        {"type": "mcp", "server_label": "x"},
        {"type": "knowledge_search", "knowledge_resource_id": "k"},
        {"type": "image_process", "zoom": {"type": "enabled"}},
    ],
)
def test_functions_and_hosted_tools_are_taken(mistakes_with: With, tool: Any) -> None:
    assert mistakes_with(tools=[tool]) == {}


@pytest.mark.parametrize(
    ("tools", "mistakes"),
    [
        ({}, {"tools": "must be a list, got an object"}),
        (["web_search"], {"tools[0]": "must be an object, got a string"}),
        ([{}], {"tools[0].type": "is required"}),
        ([{"type": 1}], {"tools[0].type": "must be a string, got 1"}),
        ([{"type": "function"}], {"tools[0].name": "is required"}),
        ([{"type": "function", "name": ""}], {"tools[0].name": "must not be empty"}),
        (
            [{"type": "function", "name": "f", "parameters": "{}"}],
            {"tools[0].parameters": "must be an object, got a string"},
        ),
        (
            [{"type": "function", "name": "f", "strict": "yes"}],
            {"tools[0].strict": "must be true or false, got a string"},
        ),
        ([{"type": "function", "name": "f", "function": {}}], {"tools[0].function": "unknown field"}),
    ],
)
def test_a_wrong_tool_is_told_at_its_place(mistakes_with: With, tools: Any, mistakes: dict[str, str]) -> None:
    assert mistakes_with(tools=tools) == mistakes


@pytest.mark.parametrize(
    "choice", ["auto", "none", "required", None, {"type": "function", "name": "f"}, {"type": "web_search"}]
)
def test_a_tool_choice_is_a_word_or_an_object_with_a_type(mistakes_with: With, choice: Any) -> None:
    assert mistakes_with(tool_choice=choice) == {}


@pytest.mark.parametrize(
    ("choice", "mistakes"),
    [
        ("any", {"tool_choice": 'unknown tool choice "any" (one of these 3: auto, none, required)'}),
        ({}, {"tool_choice.type": "is required"}),
        (True, {"tool_choice": "must be a string or an object, got true"}),
        (["auto"], {"tool_choice": "must be a string or an object, got a list"}),
    ],
)
def test_a_wrong_tool_choice_is_refused(mistakes_with: With, choice: Any, mistakes: dict[str, str]) -> None:
    assert mistakes_with(tool_choice=choice) == mistakes
