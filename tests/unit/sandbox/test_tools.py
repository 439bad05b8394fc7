import json
from typing import Any

import pytest

from sandbox.prompt import read_prompt
from sandbox.tools import choose_call

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
TIME = {"type": "function", "name": "now"}


def call_for(given: Any, **fields: Any) -> tuple[str, Any] | None:
    body = {"input": given, "tools": [TIME, WEATHER], **fields}
    call = choose_call(body, read_prompt(body))
    return None if call is None else (call[0], json.loads(call[1]))


@pytest.mark.parametrize(
    ("text", "choice", "called"),
    [
        ("What is the weather in Paris today?", "auto", ("get_weather", {"city": "Paris"})),
        ("What is the weather in Paris today?", None, ("get_weather", {"city": "Paris"})),
        ("please call get_weather", "auto", ("get_weather", {"city": "please call get_weather"})),
        ("hello", "auto", None),
        ("What is the weather?", "none", None),
        ("hello", "required", ("now", {})),
        ("the weather", "required", ("get_weather", {"city": "the weather"})),
        ("hello", {"type": "function", "name": "get_weather"}, ("get_weather", {"city": "hello"})),
        ("weather", {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "now"}]}, None),
        (
            "hi",
            {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "now"}]},
            ("now", {}),
        ),
        ("weather", {"type": "web_search"}, None),
    ],
)
def test_the_choice_and_the_text_decide_which_tool_is_called(text: str, choice: Any, called: Any) -> None:
    assert call_for(text, tool_choice=choice) == called


def test_no_tool_is_called_right_after_its_result() -> None:
    given = [
        {"role": "user", "content": "What is the weather in Paris?"},
        {"type": "function_call_output", "call_id": "c", "output": "rain"},
    ]
    assert call_for(given, tool_choice="auto") is None
    assert call_for(given[:1], tool_choice="auto") is not None
