"""A value that fits a JSON schema, made up without understanding it."""

import math
from collections.abc import Mapping
from typing import Any

DEPTH_MAX = 16
STEPS_MAX = 2_000  # a schema that refers to itself many times would grow a value without end
ITEMS_MAX = 8
CHARACTERS_MAX = 4_096


def value_for(schema: Mapping[str, Any], *, text: str) -> Any:
    """A small value that fits `schema`; strings in it are `text` where nothing narrower is asked.

    Heeds const, enum, default, examples, type, properties, items, lengths, bounds, anyOf, oneOf, allOf and
    `$ref`s into the schema itself. A pattern is not heeded. What would be too deep or too large is null.
    """
    return _Maker(root=schema, text=text).value(schema, depth=0)


class _Maker:
    def __init__(self, *, root: Mapping[str, Any], text: str) -> None:
        self._root = root
        self._text = text
        self._steps_left = STEPS_MAX

    def value(self, schema: Any, *, depth: int) -> Any:
        schema = self._settled(schema, depth=depth)
        if depth > DEPTH_MAX or self._steps_left <= 0:
            return None
        for name in ("const", "default"):
            if name in schema:
                return schema[name]
        for name in ("enum", "examples"):
            if isinstance(schema.get(name), list) and schema[name]:
                return schema[name][0]
        match _type_of(schema):
            case "object":
                return self._object(schema, depth=depth + 1)
            case "array":
                count = min(max(1, _bound(schema, "minItems", 1)), ITEMS_MAX)
                return [self.value(schema.get("items"), depth=depth + 1) for _ in range(count)]
            case "integer" | "number" as kind:
                return _number(schema, is_whole=kind == "integer")
            case "boolean":
                return True
            case "string":
                padded = self._text.ljust(_bound(schema, "minLength", 0), ".")
                return padded[: _bound(schema, "maxLength", CHARACTERS_MAX)]
            case _:
                return None

    def _settled(self, schema: Any, *, depth: int) -> Mapping[str, Any]:
        """The schema with references followed, its first alternative chosen and its allOf merged."""
        while isinstance(schema, Mapping) and self._steps_left > 0 and depth <= DEPTH_MAX:
            self._steps_left -= 1
            choices = schema.get("anyOf") or schema.get("oneOf")
            if isinstance(schema.get("$ref"), str):
                schema = self._referred(schema["$ref"])
            elif isinstance(choices, list):
                schema = choices[0]
            else:
                return self._merged(schema, depth=depth + 1)
        return {}

    def _merged(self, schema: Mapping[str, Any], *, depth: int) -> Mapping[str, Any]:
        parts = schema.get("allOf")
        merged = dict(schema)
        for part in parts if isinstance(parts, list) else []:
            merged.update(self._settled(part, depth=depth))
        return merged

    def _referred(self, reference: str) -> Any:
        node: Any = self._root
        for step in reference.removeprefix("#").strip("/").split("/"):
            if step:
                node = node.get(step) if isinstance(node, Mapping) else None
        return node

    def _object(self, schema: Mapping[str, Any], *, depth: int) -> dict[str, Any]:
        properties = schema.get("properties")
        if not isinstance(properties, Mapping):
            return {}
        return {name: self.value(part, depth=depth) for name, part in properties.items()}


def _type_of(schema: Mapping[str, Any]) -> str | None:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((name for name in kind if name != "null"), None)
    if kind is None and "properties" in schema:
        return "object"
    return kind if isinstance(kind, str) else None


def _number(schema: Mapping[str, Any], *, is_whole: bool) -> int | float:
    step = 1 if is_whole else 0.5
    for name, inside in (("minimum", 0), ("exclusiveMinimum", step)):
        if _is_number(schema.get(name)):
            low: int | float = schema[name] + inside
            return math.ceil(low) if is_whole else low
    for name, inside in (("maximum", 0), ("exclusiveMaximum", -step)):
        if _is_number(schema.get(name)):
            high: int | float = min(1, schema[name] + inside)
            return math.floor(high) if is_whole else high
    return 1


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _bound(schema: Mapping[str, Any], name: str, otherwise: int) -> int:
    value = schema.get(name)
    return min(value, CHARACTERS_MAX) if isinstance(value, int) and value >= 0 else otherwise
