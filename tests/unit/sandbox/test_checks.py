from typing import Any

import pytest

from sandbox.checks import check_body, parse_body
from sandbox.errors import Refused

TOOL = {"type": "function", "name": "look"}
URL = "http://127.0.0.1/a.mp4"
VIDEO = {"type": "input_video", "video_url": URL}


def body(**fields: Any) -> dict[str, Any]:
    return {"model": "m", "input": "hello", **fields}


def message(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(parts)}


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"{", b"\xff", b"[]", b"3", b'"text"', b'{"a": NaN}', b'{"a": Infinity}', b'{"a": 1e999}'),
        *(b"[" * 10_000, b'{"a":' * 10_000, b'{"a": ' + b"9" * 5_000 + b"}", b'{"a": 1} x', b'{"a": 1, "a": 2}'),
    ],
)
def test_bytes_that_are_no_json_object_are_refused(raw: bytes) -> None:
    with pytest.raises(Refused) as caught:
        parse_body(raw)
    assert caught.value.status == 400


def test_a_string_that_is_no_text_is_refused_with_its_path() -> None:
    with pytest.raises(Refused, match="surrogate") as caught:
        parse_body(b'{"input": [{"role": "\\ud800"}]}')
    assert caught.value.param == "input[0].role"


@pytest.mark.parametrize(
    "fields",
    [
        *({"temperature": 0}, {"temperature": 2}, {"temperature": None}, {"top_p": 0}, {"top_p": 1.0}),
        *({"max_output_tokens": 1}, {"stream": True}, {"stream": None}, {"reasoning": {"effort": "high"}}),
        *({"reasoning": {}}, {"reasoning": None}, {"metadata": {"a": "x" * 512}}),
        *({"tools": [TOOL]}, {"tools": [TOOL], "tool_choice": {"type": "function", "name": "look"}}),
        *({"tools": [{"type": "web_search"}]}, {"tool_choice": "none"}, {"tool_choice": {"type": "web_search"}}),
        {"input": [message(VIDEO, {**VIDEO, "fps": 0.001}, {**VIDEO, "fps": None})]},
        {"input": [{"type": "function_call_output", "call_id": "c", "output": "42"}]},
    ],
)
def test_what_lies_inside_the_bounds_is_let_in(fields: dict[str, Any]) -> None:
    check_body(body(**fields))


@pytest.mark.parametrize(
    "fields",
    [
        *({"surprise": 1}, {"reasoning": {"surprise": 1}}, {"text": {"format": {"type": "yaml"}}}),
        *({"input": [message({"type": "input_smell"})]}, {"input": [{"type": "dream"}]}),
    ],
)
def test_what_only_another_endpoint_knows_is_let_in(fields: dict[str, Any]) -> None:
    check_body(body(**fields))


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": None}, "model"),
        ({"model": ""}, "model"),
        ({"model": 3}, "model"),
        ({"input": None}, "input"),
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"temperature": 2.01}, "temperature"),
        ({"temperature": "1"}, "temperature"),
        ({"top_p": -1}, "top_p"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"stream": 1}, "stream"),
        ({"reasoning": {"effort": "huge"}}, "reasoning.effort"),
        ({"metadata": {"a": 1}}, "metadata.a"),
        ({"text": {"format": {"type": "json_schema", "name": "n"}}}, "text.format.schema"),
        ({"tools": [TOOL, 3]}, "tools[1]"),
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"tool_choice": "sometimes"}, "tool_choice"),
        ({"tool_choice": {"type": "function", "name": "look"}}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": {"type": "function", "name": []}}, "tool_choice"),
        ({"tools": [{**TOOL, "type": "custom"}], "tool_choice": TOOL}, "tool_choice"),
        ({"input": [{"role": "robot", "content": "b"}]}, "input[0].role"),
        ({"input": [message({"type": []})]}, "input[0].content[0].type"),
        ({"input": [message({"type": "input_image", "image_url": "ftp://a/b"})]}, "input[0].content[0].image_url"),
        ({"input": [message({"type": "input_file", "filename": "a"})]}, "input[0].content[0]"),
        ({"input": [message(VIDEO, {**VIDEO, "fps": 0})]}, "input[0].content[1].fps"),
        ({"input": [{"type": "function_call", "call_id": "c", "name": "n"}]}, "input[0].arguments"),
    ],
)
def test_what_lies_outside_is_refused_with_its_path(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(Refused) as caught:
        check_body(body(**fields))
    assert (caught.value.status, caught.value.param) == (400, param)


def test_the_first_of_several_mistakes_is_told_with_its_bound_in_the_shape_of_the_endpoint() -> None:
    with pytest.raises(Refused) as caught:
        check_body(body(temperature=3, top_p=3))
    assert caught.value.body()["error"] == {
        "code": "InvalidParameter",
        "message": "The field temperature is not valid: must be at least 0 and at most 2, got 3.",
        "param": "temperature",
        "type": "BadRequest",
    }


def test_a_missing_field_has_a_code_of_its_own() -> None:
    with pytest.raises(Refused) as caught:
        check_body({"model": "m"})
    assert caught.value.body()["error"] == {
        "code": "MissingParameter",
        "message": "The field input is required.",
        "param": "input",
        "type": "BadRequest",
    }
