import json
from typing import Any

import pytest

from sandbox.answer import Answer, write_answer
from sandbox.findings import NOTE
from sandbox.media import look_at_all
from sandbox.prompt import read_prompt
from sandbox.settings import SandboxSettings
from sandbox.tokens import count_text

TOOLS = [{"type": "function", "name": "get_weather", "parameters": {"properties": {"city": {"type": "string"}}}}]


def answer_to(given: Any = "hello there", **fields: Any) -> Answer:
    body = {"model": "m", "input": given, **fields}
    prompt = read_prompt(body)
    return write_answer(body, prompt, look_at_all(prompt.media, settings=SandboxSettings()))


def text_of(answer: Answer) -> str:
    text: str = answer.output[-1]["content"][0]["text"]
    return text


def test_an_answer_says_that_no_model_made_it_and_what_was_said() -> None:
    text = text_of(answer_to())
    assert text.startswith("Sandbox: no language model.")
    assert "11 characters, 2 words, beginning “hello there”" in text


def test_turns_and_tool_results_are_told() -> None:
    turn = {"role": "user", "content": "x"}
    text = text_of(answer_to([turn, turn, {"type": "function_call_output", "call_id": "c7", "output": "42"}]))
    assert "2 turns" in text
    assert "The tool call c7 returned: 42" in text


def test_what_was_passed_over_is_told() -> None:
    given = [{"role": "user", "content": [{"type": "input_smell"}]}, {"type": "web_search_call"}]
    assert "Passed over, since it cannot be read here: input_smell, web_search_call." in text_of(answer_to(given))
    assert "Passed over" not in text_of(answer_to())


@pytest.mark.parametrize("bound", [1, 2, 10])
def test_a_bound_cuts_the_text_to_exactly_so_many_tokens(bound: int) -> None:
    answer = answer_to(max_output_tokens=bound)
    assert (answer.is_cut, answer.output_tokens) == (True, bound)
    assert count_text(text_of(answer)) == bound
    assert text_of(answer_to()).startswith(text_of(answer))
    assert answer.output[-1]["status"] == "incomplete"


def test_a_bound_that_is_just_enough_cuts_nothing() -> None:
    enough = answer_to().output_tokens
    assert not answer_to(max_output_tokens=enough).is_cut
    assert answer_to(max_output_tokens=enough - 1).is_cut


@pytest.mark.parametrize(
    ("effort", "reasons"), [("high", True), ("low", True), ("minimal", False), ("none", False), (None, False)]
)
def test_reasoning_is_an_item_of_its_own_when_asked_for(effort: str | None, reasons: bool) -> None:
    answer = answer_to(reasoning={"effort": effort})
    assert (answer.output[0]["type"] == "reasoning") is reasons
    assert (answer.reasoning_tokens > 0) is reasons
    assert answer.output_tokens == answer.reasoning_tokens + count_text(text_of(answer))


def test_reasoning_counts_towards_the_bound() -> None:
    answer = answer_to(reasoning={"effort": "high"}, max_output_tokens=3)
    assert [item["type"] for item in answer.output] == ["reasoning"]
    assert (answer.output_tokens, answer.reasoning_tokens, answer.is_cut) == (3, 3, True)


def test_a_tool_that_is_mentioned_is_called_instead_of_a_message() -> None:
    answer = answer_to("What is the weather in Rome?", tools=TOOLS)
    (item,) = answer.output
    assert (item["type"], item["name"], json.loads(item["arguments"])) == (
        "function_call",
        "get_weather",
        {"city": "Rome"},
    )


def test_json_is_answered_when_json_is_asked_for() -> None:
    found = json.loads(text_of(answer_to(text={"format": {"type": "json_object"}})))
    assert (found["note"], found["text"]["words"], found["media"]) == (NOTE, 2, [])
    schema = {"type": "object", "properties": {"summary": {"type": "string"}, "count": {"type": "integer"}}}
    fitted = json.loads(text_of(answer_to(text={"format": {"type": "json_schema", "name": "n", "schema": schema}})))
    assert fitted["summary"].startswith(NOTE)
    assert fitted["count"] == 1
