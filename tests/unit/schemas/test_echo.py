from typing import Any

import pytest

from schemas.echo import ECHOES, echoed, unsaid

protocol = {
    "model": "",
    "instructions": None,
    "previous_response_id": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "reasoning": None,
    "service_tier": "default",
    "temperature": 1.0,
    "top_p": 1.0,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "top_logprobs": 0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "truncation": "disabled",
}
function = {"type": "function", "name": "f", "description": None, "parameters": {}, "strict": None}
values: dict[str, tuple[Any, Any]] = {
    "model": ("a", "b"),
    "instructions": ("a", "b"),
    "previous_response_id": ("a", "b"),
    "max_output_tokens": (1, 2),
    "max_tool_calls": (1, 2),
    "metadata": ({"a": "b"}, {}),
    "parallel_tool_calls": (False, True),
    "prompt_cache_key": ("a", "b"),
    "safety_identifier": ("a", "b"),
    "reasoning": ({"effort": "low", "summary": None}, {"effort": "high", "summary": "auto"}),
    "service_tier": ("auto", "fast"),
    "temperature": (0, 0.5),
    "top_p": (0, 0.5),
    "presence_penalty": (1, -2),
    "frequency_penalty": (1, -2),
    "top_logprobs": (3, 4),
    "text": ({"format": {"type": "json_object"}}, {"format": {"type": "text"}, "verbosity": "low"}),
    "tool_choice": ("none", {"type": "function", "name": "f"}),
    "tools": ([function], []),
    "truncation": ("auto", "disabled"),
}


def test_without_any_word_the_protocol_speaks() -> None:
    assert echoed({}, {}) == protocol


@pytest.mark.parametrize("name", ECHOES)
def test_the_endpoints_word_goes_before_the_callers(name: str) -> None:
    first, second = values[name]
    assert echoed({}, {name: first})[name] == first
    assert echoed({name: second}, {name: first})[name] == second
    assert echoed({name: None}, {name: first})[name] == first


@pytest.mark.parametrize("name", ECHOES)
def test_a_word_of_another_type_is_not_repeated(name: str) -> None:
    right = type(values[name][0])
    numbers = (int, float)
    wrong: list[Any] = [value for value in ([1], {"type": 1}, True, float("nan"), "odd") if type(value) is not right]
    for value in wrong:
        said = echoed({name: value}, {})[name]
        assert said == protocol[name] or (right in numbers and type(said) in numbers)
    assert echoed({name: wrong[0]}, {name: values[name][0]})[name] == values[name][0]


def test_defaults_are_not_shared_between_responses() -> None:
    echoed({}, {})["metadata"]["a"] = "b"
    echoed({}, {})["text"]["format"]["type"] = "x"
    assert echoed({}, {}) == protocol


def test_all_that_can_be_said_is_said() -> None:
    assert unsaid({name: first for name, (first, _) in values.items()}) == {}
    assert unsaid(dict.fromkeys(ECHOES) | {"input": [1], "thinking": {}}) == {}


@pytest.mark.parametrize(
    ("name", "asked", "said"),
    [
        ("reasoning", {"effort": "minimal"}, {"effort": None, "summary": None}),
        ("instructions", [{"role": "system", "content": "a"}], None),
        ("tools", [{"type": "web_search"}, {"type": "function", "name": "f", "parameters": {}}], [function]),
        ("tool_choice", {"type": "web_search"}, "auto"),
    ],
)
def test_what_the_protocol_has_no_word_for_is_told_apart(name: str, asked: Any, said: Any) -> None:
    assert echoed({}, {name: asked})[name] == said
    assert unsaid({name: asked}) == {name: asked}
