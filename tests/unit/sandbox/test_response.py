import json
from typing import Any

import openresponses_types
import pytest
from openai.types.responses import Response

from sandbox.answer import write_answer
from sandbox.prompt import read_prompt
from sandbox.response import answered, new_response

TOOL = {"type": "function", "name": "get_weather", "parameters": {"properties": {"city": {"type": "string"}}}}


def response_to(given: Any = "hello", **fields: Any) -> dict[str, Any]:
    body = {"model": "m", "input": given, **fields}
    prompt = read_prompt(body)
    return answered(
        new_response(body, created_at=10),
        answer=write_answer(body, prompt, []),
        prompt=prompt,
        media=[],
        completed_at=12,
    )


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"max_output_tokens": 2, "temperature": 0.5, "top_p": 1},
        {"reasoning": {"effort": "high"}, "metadata": {"a": "b"}, "instructions": "be brief"},
        {"given": "What is the weather in Rome?", "tools": [TOOL]},
        {"text": {"format": {"type": "json_object"}}},
        {"temperature": None, "tools": None, "metadata": None, "reasoning": None, "text": None},
    ],
)
def test_every_response_fits_both_published_models(fields: dict[str, Any]) -> None:
    response = response_to(**fields)
    Response.model_validate(response, strict=True)
    openresponses_types.ResponseResource.model_validate_json(json.dumps(response))


def test_a_response_without_an_answer_yet_fits_both_published_models() -> None:
    response = new_response({"model": "m", "input": "hello", "background": True}, created_at=10)
    assert (response["status"], response["output"], response["background"]) == ("queued", [], True)
    Response.model_validate(response, strict=True)
    openresponses_types.ResponseResource.model_validate_json(json.dumps(response))


def test_what_was_asked_is_handed_back() -> None:
    response = response_to(temperature=0.5, metadata={"a": "b"}, max_output_tokens=500)
    assert (response["temperature"], response["metadata"], response["max_output_tokens"]) == (0.5, {"a": "b"}, 500)
    assert (response["model"], response["status"], response["completed_at"]) == ("m", "completed", 12)


def test_a_cut_answer_is_incomplete_and_says_why() -> None:
    response = response_to(max_output_tokens=2)
    assert (response["status"], response["completed_at"]) == ("incomplete", None)
    assert response["incomplete_details"] == {"reason": "max_output_tokens"}
    assert response["usage"]["output_tokens"] == 2


def test_usage_adds_up() -> None:
    usage = response_to("abcdefgh", instructions="abcd", reasoning={"effort": "low"})["usage"]
    assert usage["input_tokens"] == 2 + 1 + 3
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert 0 < usage["output_tokens_details"]["reasoning_tokens"] < usage["output_tokens"]


def test_the_findings_stand_uncut_beside_the_answer() -> None:
    found = response_to(max_output_tokens=1)["sandbox"]
    assert found["note"].startswith("Sandbox: no language model.")
    assert found["text"]["words"] == 1
