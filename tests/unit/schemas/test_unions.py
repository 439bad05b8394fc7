from typing import Any

import pytest
from marshmallow import INCLUDE, ValidationError

from schemas.bounds import Length
from schemas.fields import FreeObject, List, String
from schemas.options import ConversationSchema, JsonObjectFormatSchema, PlainTextFormatSchema
from schemas.tools import FunctionToolSchema, HostedToolSchema
from schemas.unions import ByType, Either


def messages(field: Any, value: Any, **options: Any) -> Any:
    with pytest.raises(ValidationError) as caught:
        field.deserialize(value, **options)
    return caught.value.messages


def test_the_json_type_alone_decides_which_field_judges() -> None:
    field = Either(String(validate=Length("characters", min=1)), List(String()))
    assert field.deserialize("a") == "a"
    assert field.deserialize(["a"]) == ["a"]
    assert messages(field, "") == ["must not be empty"]
    assert messages(field, ["a", 1]) == {1: ["must be a string, got 1"]}
    assert messages(field, {}) == ["must be a string or a list, got an object"]
    assert messages(field, None) == ["must be a string or a list, got null"]


def test_the_type_of_an_object_decides_which_schema_judges() -> None:
    field = ByType({"text": PlainTextFormatSchema, "json_object": JsonObjectFormatSchema}, kind="format")
    assert field.deserialize({"type": "text"}) == {"type": "text"}
    assert messages(field, {"type": "text", "x": 1}) == {"x": ["unknown field"]}
    assert messages(field, {"x": 1}) == {"type": ["is required"]}
    assert messages(field, {"type": None}) == {"type": ["must be a string, got null"]}
    assert messages(field, {"type": ["text"]}) == {"type": ["must be a string, got a list"]}
    assert messages(field, {"type": "json"}) == {
        "type": ['unknown format type "json" (one of these 2: text, json_object)']
    }
    assert messages(field, "text") == ["must be an object, got a string"]


def test_unknown_types_pass_where_unknown_fields_do_but_a_type_stays_a_string() -> None:
    field = ByType({"text": PlainTextFormatSchema}, kind="format")
    assert field.deserialize({"type": "new", "x": 1}, unknown=INCLUDE) == {"type": "new", "x": 1}
    assert messages(field, {"type": 1}, unknown=INCLUDE) == {"type": ["must be a string, got 1"]}


def test_a_schema_for_all_other_types_takes_what_no_other_one_does() -> None:
    field = ByType({"function": FunctionToolSchema}, kind="tool", other=HostedToolSchema)
    assert field.deserialize({"type": "web_search", "max": 3})
    assert messages(field, {"type": "function"}) == {"name": ["is required"]}
    assert messages(field, {"type": ""}) == {"type": ["must not be empty"]}


def test_a_type_that_is_left_out_can_be_told_from_the_rest() -> None:
    field = ByType({"text": PlainTextFormatSchema, "c": ConversationSchema}, kind="x", type_of=lambda item: "c")
    assert field.deserialize({"id": "a"}) == {"id": "a"}
    assert messages(field, {"id": 1}) == {"id": ["must be a string, got 1"]}


def test_variants_are_there_to_be_described() -> None:
    text, objects = String(), FreeObject()
    assert Either(text, objects).variants == (text, objects)
    field = ByType({"a": FunctionToolSchema, "b": FunctionToolSchema}, kind="x", other=HostedToolSchema)
    assert [type(v.schema) for v in field.variants] == [FunctionToolSchema, HostedToolSchema]
