import contextlib
import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError

from schemas.error import InvalidJson
from schemas.mistakes import flatten
from schemas.request import DEFAULT_MODELS, CreateResponseSchema, request_schema, steering_fields, upstream_body
from schemas.strict_json import parse

With = Callable[..., dict[str, str]]

valid_requests: list[dict[str, Any]] = [
    {"model": "glm-4.7", "input": "hi"},
    {
        "model": "doubao-seed-1-6-251015",
        "input": [
            {"role": "system", "content": "be brief"},
            {
                "role": "user",
                "content": [
                    {"type": "input_video", "video_url": "https://h/v.mp4", "fps": 1},
                    {"type": "input_file", "file_data": "data:a/b;base64,AAAA", "filename": "f"},
                    {"type": "input_text", "text": "what?"},
                ],
            },
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "1"},
        ],
        "tools": [{"type": "function", "name": "f", "parameters": {}}, {"type": "web_search", "x": 1}],
        "tool_choice": {"type": "function", "name": "f"},
        "stream": True,
        "temperature": 0.5,
        "reasoning": {"effort": "high"},
        "text": {"format": {"type": "json_schema", "name": "n", "schema": {}}},
        "metadata": {"a": "b"},
        "thinking": {"type": "auto"},
        "respool": {"priority": 7, "webhook": {"url": "https://h/x"}},
    },
]
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["type", "role", "data:", "http://"]),
    lambda below: (
        st.lists(below, max_size=4)
        | st.dictionaries(st.text(max_size=8) | st.sampled_from(["type", "content", "role", "id"]), below, max_size=4)
    ),
    max_leaves=12,
)
field_names = st.sampled_from(sorted(CreateResponseSchema().fields))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, found in below for place in places(found, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    if not path:
        return by
    changed = copy.copy(value)
    changed[path[0]] = replaced(value[path[0]], path[1:], by)
    return changed


def accepted_or_told(schema: Schema, body: Any) -> None:
    """The body comes back as the very same one, or every mistake has a message."""
    before = copy.deepcopy(body)
    try:
        assert schema.load(body) is body
    except ValidationError as error:
        told = flatten(error.messages)
        assert told
        assert all(mistake.message for mistake in told)
    assert repr(body) == repr(before)


def test_the_example_of_the_page_is_taken(page_request: dict[str, Any], mistakes_of: Callable[[Any], Any]) -> None:
    assert mistakes_of(page_request) == {}


@pytest.mark.parametrize("body", valid_requests)
def test_an_accepted_body_comes_back_equal_and_in_its_order(refusing: Schema, body: dict[str, Any]) -> None:
    assert json.dumps(refusing.load(parse(json.dumps(body).encode()))) == json.dumps(body)


@pytest.mark.parametrize("model", DEFAULT_MODELS)
def test_every_listed_model_is_taken(mistakes_with: With, model: str) -> None:
    assert mistakes_with(model=model) == {}


def test_an_unknown_model_is_refused_with_the_nearest_and_all_known_ones(mistakes_with: With) -> None:
    message = mistakes_with(model="doubao-seed-2-pro")["model"]
    assert message.startswith("unknown model \"doubao-seed-2-pro\"; did you mean 'doubao-seed-2.0-pro'?")
    assert "these 11" in message
    assert all(name in message for name in DEFAULT_MODELS)


def test_any_model_name_may_be_admitted_but_it_is_still_a_name(forwarding: Schema) -> None:
    assert forwarding.load({"model": "anything", "input": "hi"})
    for model in ("", None, 1):
        with pytest.raises(ValidationError):
            forwarding.load({"model": model, "input": "hi"})


@pytest.mark.parametrize(
    ("name", "inside", "outside", "said"),
    [
        ("temperature", (0, 2, 0.0, 2.0, 1.1), (-0.001, 2.001), "must be at least 0 and at most 2, got "),
        ("top_p", (0, 1, 0.5), (-0.001, 1.001), "must be at least 0 and at most 1, got "),
        ("max_output_tokens", (1, 2**40), (0, -1), "must be at least 1, got "),
        ("max_tool_calls", (1, 5), (0,), "must be at least 1, got "),
        ("top_logprobs", (0, 20), (-1, 21), "must be at least 0 and at most 20, got "),
        ("presence_penalty", (-2, 2), (-2.1, 2.1), "must be at least -2 and at most 2, got "),
        ("frequency_penalty", (-2, 2), (-2.1, 2.1), "must be at least -2 and at most 2, got "),
        ("expire_at", (0, 1760000000), (-1,), "must be at least 0, got "),
    ],
)
def test_a_number_is_taken_at_its_bounds_and_refused_beyond(
    mistakes_with: With, name: str, inside: tuple[float, ...], outside: tuple[float, ...], said: str
) -> None:
    assert [mistakes_with(**{name: value}) for value in inside] == [{}] * len(inside)
    for value in outside:
        assert mistakes_with(**{name: value}) == {name: f"{said}{value}"}


@pytest.mark.parametrize("name", ["temperature", "top_p", "max_output_tokens", "top_logprobs", "presence_penalty"])
@pytest.mark.parametrize("value", ["1", True, False, [1], {}])
def test_no_number_is_made_of_anything_else(mistakes_with: With, name: str, value: Any) -> None:
    assert list(mistakes_with(**{name: value})) == [name]


@pytest.mark.parametrize("name", ["max_output_tokens", "max_tool_calls", "top_logprobs", "expire_at"])
def test_an_integer_is_no_fraction_and_no_float(mistakes_with: With, name: str) -> None:
    assert mistakes_with(**{name: 2.0}) == {name: "must be an integer, got 2.0"}


@pytest.mark.parametrize("name", ["stream", "store", "background", "parallel_tool_calls"])
def test_a_flag_is_true_or_false(mistakes_with: With, name: str) -> None:
    assert mistakes_with(**{name: True}) == mistakes_with(**{name: False}) == {}
    for value in ("true", "yes", 1, 0, [], {}):
        assert list(mistakes_with(**{name: value})) == [name]


@pytest.mark.parametrize(
    "fields",
    [
        {"instructions": "x", "previous_response_id": "resp_1", "user": "u", "safety_identifier": "s"},
        {"instructions": [{"role": "developer", "content": "x"}]},
        {"include": ["reasoning.encrypted_content"], "truncation": "auto", "service_tier": "fast"},
        {"prompt_cache_key": "k", "prompt_cache_retention": "24h", "session": {"id": "s"}, "respool": {}},
    ],
)
def test_the_other_documented_fields_are_taken(mistakes_with: With, fields: dict[str, Any]) -> None:
    assert mistakes_with(**fields) == {}


def test_every_optional_field_may_be_null_and_the_required_may_not(
    mistakes_with: With,
) -> None:
    never_null = {"model", "input"}
    for name in CreateResponseSchema().fields:
        assert set(mistakes_with(**{name: None})) == ({name} & never_null)


@pytest.mark.parametrize(
    ("fields", "mistakes"),
    [
        ({"instructions": []}, {"instructions": "must not be empty"}),
        ({"instructions": 1}, {"instructions": "must be a string or a list, got 1"}),
        ({"include": "all"}, {"include": "must be a list, got a string"}),
        ({"include": ["a", 1]}, {"include[1]": "must be a string, got 1"}),
        ({"truncation": "none"}, {"truncation": 'unknown truncation "none" (one of these 2: auto, disabled)'}),
        ({"respool": "x"}, {"respool": "must be an object, got a string"}),
        ({"max_output_token": 1}, {"max_output_token": "unknown field; did you mean 'max_output_tokens'?"}),
        ({"zzz": 1}, {"zzz": "unknown field"}),
    ],
)
def test_wrong_fields_are_told_by_name(mistakes_with: With, fields: dict[str, Any], mistakes: dict[str, str]) -> None:
    assert mistakes_with(**fields) == mistakes


def test_all_mistakes_of_a_body_are_told_at_once(mistakes_of: Callable[[Any], dict[str, str]]) -> None:
    part = {"type": "input_video", "video_url": "https://h/v", "fps": 0}
    body = {
        "input": [{"role": "user", "content": [{"type": "input_text", "text": "a"}, part, {"type": "nope"}]}],
        "temperature": 3,
        "stream": "yes",
        "nonsense": 1,
    }
    assert list(mistakes_of(body)) == [
        "input[0].content[1].fps",
        "input[0].content[2].type",
        "temperature",
        "stream",
        "nonsense",
        "model",
    ]


def test_what_is_unknown_is_forwarded_at_every_depth_and_what_is_known_is_still_checked(forwarding: Schema) -> None:
    body = {
        "model": "m",
        "input": [
            {"role": "user", "content": [{"type": "input_smell", "x": 1}, {"type": "input_text", "text": "a", "y": 2}]},
            {"type": "new_item", "z": 3},
        ],
        "reasoning": {"effort": "low", "budget": 5},
        "text": {"format": {"type": "grammar", "g": "x"}},
        "brand_new": {"a": [1]},
    }
    assert forwarding.load(body) is body
    body["input"][0]["content"][1]["text"] = 1  # type: ignore[index]
    with pytest.raises(ValidationError) as caught:
        forwarding.load(body)
    assert [m.path for m in flatten(caught.value.messages)] == ["input[0].content[1].text"]


@given(json_values)
@settings(max_examples=300)
def test_any_value_as_body_is_accepted_or_told_what_is_wrong(body: Any) -> None:
    for schema in schemas_of_both_kinds:
        accepted_or_told(schema, body)


@given(st.dictionaries(field_names, json_values, max_size=6))
@settings(max_examples=300)
def test_any_values_in_known_fields_are_accepted_or_told_what_is_wrong(fields: dict[str, Any]) -> None:
    for schema in schemas_of_both_kinds:
        accepted_or_told(schema, {"model": "glm-4.7", "input": "hi"} | fields)


@given(st.data())
@settings(max_examples=400)
def test_a_valid_body_with_one_value_exchanged_is_accepted_or_told_what_is_wrong(data: st.DataObject) -> None:
    body = data.draw(st.sampled_from(valid_requests))
    place = data.draw(st.sampled_from(places(body)))
    for schema in schemas_of_both_kinds:
        accepted_or_told(schema, replaced(body, place, data.draw(json_values)))


@given(json_values)
@settings(max_examples=200)
def test_any_json_text_as_body_raises_nothing_but_the_two_refusals(body: Any) -> None:
    with contextlib.suppress(InvalidJson, ValidationError):
        schemas_of_both_kinds[0].load(parse(json.dumps(body).encode()))


schemas_of_both_kinds = [request_schema(frozenset(DEFAULT_MODELS), "refuse"), request_schema(None, "forward")]


def test_what_steers_us_never_goes_upstream_and_all_else_goes_as_it_came() -> None:
    body = {"background": True, "model": "m", "respool": {"a": 1}, "input": "hi", "new": None, "stream": True}
    assert list(upstream_body(body).items()) == [("model", "m"), ("input", "hi"), ("new", None), ("stream", True)]
    assert steering_fields <= body.keys()


@pytest.mark.parametrize("given_stream", [{}, {"stream": None}, {"stream": False}])
def test_stream_is_said_to_the_endpoint_in_any_case(given_stream: dict[str, Any]) -> None:
    assert upstream_body({"model": "m", **given_stream})["stream"] is False
