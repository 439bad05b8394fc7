from typing import Any

import pytest

from sandbox.checks import DEPTH_MAX, check_body, parse_body
from sandbox.errors import Refused

TOOL = {"type": "function", "name": "look"}


def body(**fields: Any) -> dict[str, Any]:
    return {"model": "m", "input": "hello", **fields}


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"{", b"\xff", b"[]", b"3", b'"text"', b'{"a": NaN}', b'{"a": Infinity}', b'{"a": 1e999}'),
        *(b"[" * 10_000, b'{"a":' * 10_000, b'{"a": ' + b"9" * 5_000 + b"}", b'{"a": 1} x'),
    ],
)
def test_bytes_that_are_no_json_object_are_refused(raw: bytes) -> None:
    with pytest.raises(Refused) as caught:
        parse_body(raw)
    assert caught.value.status == 400


def test_nesting_is_let_in_up_to_its_bound() -> None:
    def nested(levels: int) -> bytes:
        return b'{"a":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"

    assert parse_body(nested(DEPTH_MAX))
    with pytest.raises(Refused, match="nested deeper"):
        parse_body(nested(DEPTH_MAX + 1))


@pytest.mark.parametrize(
    "fields",
    [
        *({"temperature": 0}, {"temperature": 2}, {"temperature": None}, {"top_p": 0}, {"top_p": 1.0}),
        *({"max_output_tokens": 1}, {"stream": True}, {"stream": None}, {"reasoning": {"effort": "high"}}),
        *({"reasoning": {}}, {"reasoning": None}, {"metadata": {}}, {"metadata": {"a": "x" * 512}}),
        *({"text": {"format": {"type": "json_object"}}}, {"text": {"format": {"type": "json_schema", "schema": {}}}}),
        *({"tools": [TOOL]}, {"tools": [TOOL], "tool_choice": {"type": "function", "name": "look"}}),
        *({"tools": [{"type": "web_search"}]}, {"tool_choice": "none"}, {"surprise": 1}),
    ],
)
def test_what_lies_inside_the_bounds_is_let_in(fields: dict[str, Any]) -> None:
    check_body(body(**fields))


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": None}, "model"),
        ({"model": ""}, "model"),
        ({"model": 3}, "model"),
        ({"input": None}, "input"),
        ({"temperature": -0.01}, "temperature"),
        ({"temperature": 2.01}, "temperature"),
        ({"temperature": "1"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"top_p": 1.01}, "top_p"),
        ({"top_p": -1}, "top_p"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"max_output_tokens": 1.0}, "max_output_tokens"),
        ({"max_output_tokens": True}, "max_output_tokens"),
        ({"stream": "yes"}, "stream"),
        ({"stream": 1}, "stream"),
        ({"reasoning": {"effort": "huge"}}, "reasoning"),
        ({"reasoning": {"effort": []}}, "reasoning"),
        ({"reasoning": "high"}, "reasoning"),
        ({"metadata": {"a": 1}}, "metadata"),
        ({"metadata": {"a": "x" * 513}}, "metadata"),
        ({"metadata": {str(place): "" for place in range(17)}}, "metadata"),
        ({"instructions": 3}, "instructions"),
        ({"text": {"format": {"type": "yaml"}}}, "text.format"),
        ({"text": {"format": "json"}}, "text.format"),
        ({"text": {"format": {"type": "json_schema"}}}, "text.format.schema"),
        ({"tools": {}}, "tools"),
        ({"tools": [TOOL, 3]}, "tools[1]"),
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"tools": [{**TOOL, "parameters": "x"}]}, "tools[0].parameters"),
        ({"tool_choice": "sometimes"}, "tool_choice"),
        ({"tool_choice": {"type": "function", "name": "look"}}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": {"type": "function", "name": []}}, "tool_choice"),
    ],
)
def test_what_lies_outside_is_refused_with_its_path(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(Refused) as caught:
        check_body(body(**fields))
    assert (caught.value.status, caught.value.param) == (400, param)


def test_a_missing_field_has_a_code_of_its_own() -> None:
    with pytest.raises(Refused) as caught:
        check_body({"model": "m"})
    assert caught.value.body()["error"] == {
        "code": "MissingParameter",
        "message": "The field input is required.",
        "param": "input",
        "type": "BadRequest",
    }
