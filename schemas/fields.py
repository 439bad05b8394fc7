"""Fields that take a JSON value as it is or refuse it: nothing is converted, nothing is filled in."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from marshmallow import RAISE, ValidationError, fields
from marshmallow.types import UnknownOption

from schemas.mistakes import MAX_MISTAKES, kind, shown


class Checked(fields.Field[Any]):
    """What all fields share: loading checks the value and hands back the very same one.

    `unknown` goes down to every schema inside, so one choice at the top holds for the whole body.
    """

    noun: ClassVar[str] = "a value"

    def deserialize(
        self, value: Any, attr: str | None = None, data: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> Any:
        if value is None and self.allow_none:
            return None
        if not self.accepts(value):
            raise self.wrong_kind(value)
        self.check_inside(value, kwargs.get("unknown") or RAISE)
        for validator in self.validators:
            validator(value)
        return value

    def accepts(self, value: Any) -> bool:
        """Whether the value is of this field's JSON type."""
        return value is not None

    def check_inside(self, value: Any, unknown: UnknownOption) -> None:
        """Check what a value of the right type contains; raises ValidationError."""

    def said(self) -> str:
        """What the field takes, for messages."""
        return self.noun

    def wrong_kind(self, value: Any) -> ValidationError:
        got = shown(value) if isinstance(value, int | float) else kind(value)
        return ValidationError(f"must be {self.said()}, got {got}")


class String(Checked, fields.String):
    noun = "a string"

    def accepts(self, value: Any) -> bool:
        return isinstance(value, str)


class Boolean(Checked, fields.Boolean):
    noun = "true or false"

    def accepts(self, value: Any) -> bool:
        return isinstance(value, bool)


class Integer(Checked, fields.Integer):
    """A number written without fraction or exponent: `2`, not `2.0`."""

    noun = "an integer"

    def accepts(self, value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool)


class Number(Checked, fields.Float):
    noun = "a number"

    def accepts(self, value: Any) -> bool:
        if isinstance(value, float):
            return math.isfinite(value)
        return isinstance(value, int) and not isinstance(value, bool)


class FreeObject(Checked, fields.Dict):
    """An object whose inside is not ours to judge."""

    noun = "an object"

    def accepts(self, value: Any) -> bool:
        return isinstance(value, dict)


class Object(Checked, fields.Nested):
    """An object that follows a schema."""

    noun = "an object"

    def accepts(self, value: Any) -> bool:
        return isinstance(value, dict)

    def check_inside(self, value: Any, unknown: UnknownOption) -> None:
        self.schema.load(value, unknown=unknown)


class List(Checked, fields.List[Any]):
    """A list whose entries follow one field; each mistake stands under the entry's index."""

    noun = "a list"

    def accepts(self, value: Any) -> bool:
        return isinstance(value, list)

    def check_inside(self, value: Any, unknown: UnknownOption) -> None:
        raise_mistakes(enumerate(value), lambda _, entry: self.inner.deserialize(entry, unknown=unknown))


def raise_mistakes(entries: Iterable[tuple[Any, Any]], check: Callable[[Any, Any], object]) -> None:
    """Check every (key, value) and raise all mistakes by key.

    Stops where more could not be told anyway, so that a large body of nonsense stays cheap.
    """
    mistakes: dict[str | int, Any] = {}
    for key, value in entries:
        try:
            check(key, value)
        except ValidationError as error:
            mistakes[key] = error.messages
            if len(mistakes) > MAX_MISTAKES:
                break
    if mistakes:
        raise ValidationError(mistakes)
