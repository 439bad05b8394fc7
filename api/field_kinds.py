"""How our own kinds of fields look in OpenAPI."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from schemas.unions import ByType, Either


def describe(converter: Any, field: fields.Field[Any], **_: Any) -> dict[str, Any]:
    """The attributes of a field of several shapes; apispec binds `converter` and calls this for every field."""
    match field:
        case Either() | ByType():
            shapes = [converter.field2property(variant) for variant in field.variants]
            if field.allow_none:
                shapes.append({"type": "null"})
            return {"anyOf": shapes}
        case _:
            return {}


def name_of(schema: Schema | type[Schema]) -> str:
    """A schema's name in the document: one component for each class, `Schema` left out."""
    kind = schema if isinstance(schema, type) else type(schema)
    return kind.__name__.removesuffix("Schema")
