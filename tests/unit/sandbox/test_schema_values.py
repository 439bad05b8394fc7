from typing import Any

import jsonschema_rs
import pytest

from sandbox.schema_values import value_for

SCHEMAS: list[dict[str, Any]] = [
    {"type": "string"},
    {"type": "string", "minLength": 30},
    {"type": "string", "maxLength": 2},
    {"enum": ["c", "f"]},
    {"const": 7},
    {"type": ["null", "integer"], "minimum": 5},
    {"type": "integer", "minimum": 1.5, "maximum": 2},
    {"type": "integer", "maximum": -3},
    {"type": "integer", "exclusiveMinimum": 3},
    {"type": "integer", "exclusiveMaximum": -3},
    {"type": "number", "exclusiveMinimum": 3},
    {"type": "number", "maximum": 0.25},
    {"type": "integer", "minimum": 10**400},
    {"type": "array", "items": {"type": "boolean"}, "minItems": 3},
    {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "null"}}, "required": ["a", "b"]},
    {"anyOf": [{"type": "integer"}, {"type": "string"}]},
    {"allOf": [{"properties": {"a": {"type": "string"}}}, {"required": ["a"]}], "type": "object"},
    {"$defs": {"p": {"type": "integer"}}, "type": "array", "items": {"$ref": "#/$defs/p"}},
]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_value_fits_the_schema_it_was_made_for(schema: dict[str, Any]) -> None:
    value = value_for(schema, text="hello")
    jsonschema_rs.validate(schema, value)


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}] * 9},
        {"type": "object", "properties": {name: {"$ref": "#"} for name in "abcdefgh"}},
        {"type": "array", "minItems": 10**9, "items": {"$ref": "#"}},
        {"anyOf": []},
        {"anyOf": [3]},
        {"$ref": "#/nowhere/at/all"},
        {"type": 3, "properties": 3, "items": 3, "allOf": 3, "enum": 3},
        {"type": "string", "minLength": -1, "maxLength": "x"},
    ],
)
def test_a_schema_without_end_or_sense_still_gives_a_bounded_value(schema: dict[str, Any]) -> None:
    assert len(repr(value_for(schema, text="hello"))) < 200_000


def test_strings_say_the_text_given() -> None:
    assert value_for({"properties": {"city": {"type": "string"}}}, text="Paris") == {"city": "Paris"}
