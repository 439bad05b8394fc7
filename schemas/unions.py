"""Fields that take several shapes. `variants` lists the fields behind one, for whoever describes it."""

from collections.abc import Callable, Mapping
from typing import Any

from marshmallow import RAISE, ValidationError, fields
from marshmallow.types import UnknownOption

from schemas.base import Base
from schemas.bounds import OneOf
from schemas.fields import Checked, Object, String


class Either(Checked, fields.Raw):
    """A value of one of several JSON types, such as a string or a list; its type alone decides which field judges."""

    def __init__(self, *variants: Checked, **options: Any) -> None:
        super().__init__(**options)
        self.variants = variants

    def accepts(self, value: Any) -> bool:
        return any(variant.accepts(value) for variant in self.variants)

    def check_inside(self, value: Any, unknown: UnknownOption) -> None:
        chosen = next(variant for variant in self.variants if variant.accepts(value))
        chosen.deserialize(value, unknown=unknown)

    def said(self) -> str:
        return " or ".join(variant.said() for variant in self.variants)


class ByType(Checked, fields.Raw):
    """An object whose `type` says which schema it follows.

    `type_of` tells the type of an object that leaves it out (without it, it must be said); `other` is the
    schema of all types that are not in `schemas` (without it, they are refused by name).
    """

    noun = "an object"

    def __init__(
        self,
        schemas: Mapping[str, type[Base]],
        *,
        kind: str,
        type_of: Callable[[Mapping[str, Any]], str] | None = None,
        other: type[Base] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        by_schema = {schema: Object(schema) for schema in schemas.values()}
        self.by_type = {name: by_schema[schema] for name, schema in schemas.items()}
        self.type_of = type_of
        self.other = Object(other) if other else None
        self.variants = (*by_schema.values(), *filter(None, (self.other,)))
        self.type_field = String(validate=OneOf(schemas, noun=f"{kind} type"))

    def accepts(self, value: Any) -> bool:
        return isinstance(value, dict)

    def check_inside(self, value: Any, unknown: UnknownOption) -> None:
        name = self._name(value)
        variant = self.by_type.get(name, self.other) if isinstance(name, str) else None
        if variant:
            variant.deserialize(value, unknown=unknown)
        elif unknown == RAISE or not isinstance(name, str):
            self._judge_type(name)

    def _name(self, value: Mapping[str, Any]) -> Any:
        if "type" in value:
            return value["type"]
        if self.type_of:
            return self.type_of(value)
        raise ValidationError({"type": ["is required"]})

    def _judge_type(self, name: Any) -> None:
        try:
            self.type_field.deserialize(name)
        except ValidationError as error:
            raise ValidationError({"type": error.messages}) from None
