"""The schema that all others are made from: it checks a document and hands it back as it came."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from marshmallow import INCLUDE, RAISE, Schema, ValidationError
from marshmallow.types import UnknownOption

from schemas.bounds import suggestion
from schemas.mistakes import MAX_MISTAKES, kind

Mistakes: TypeAlias = dict[str | int, Any]


class Base(Schema):
    """Loading is checking: the same keys and values in the same order come back, nothing added or dropped.

    Mistakes are told all at once, in the order of the document. An unknown field is refused by name, or left
    alone if the schema or the caller says `unknown=INCLUDE`.
    """

    class Meta:
        unknown = RAISE

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._by_name = {field.data_key or name: field for name, field in self.load_fields.items()}
        self._required = [name for name, field in self._by_name.items() if field.required]

    def load(
        self, data: Any, *, many: bool | None = None, partial: Any = None, unknown: UnknownOption | None = None
    ) -> Any:
        """The document itself, or ValidationError with all its mistakes."""
        if many or partial:
            raise TypeError("documents are checked one by one and whole")
        if not isinstance(data, dict):
            raise ValidationError(f"must be an object, got {kind(data)}")
        mistakes = self._mistakes(data, INCLUDE if INCLUDE in (self.unknown, unknown) else RAISE)
        for key, message in self.rules(data):
            mistakes.setdefault(key, [message])
        if mistakes:
            raise ValidationError(mistakes, data=data)
        return data

    def rules(self, data: Mapping[str, Any]) -> Iterator[tuple[str, str | Mistakes]]:
        """(field, message) of what fields break together; the field SCHEMA is the document itself.

        In place of the message may stand those of fields inside. Asked even if single fields are wrong: a rule makes
        no guess about types.
        """
        yield from ()

    def _mistakes(self, data: Mapping[str, Any], unknown: UnknownOption) -> Mistakes:
        mistakes: Mistakes = {}
        for name, value in data.items():
            field = self._by_name.get(name)
            try:
                if field:
                    field.deserialize(value, unknown=unknown)
                elif unknown == RAISE:
                    raise ValidationError("unknown field" + suggestion(name, self._by_name))
            except ValidationError as error:
                mistakes[name] = error.messages
                if len(mistakes) > MAX_MISTAKES:
                    break
        return mistakes | {name: ["is required"] for name in self._required if name not in data}


class Open(Base):
    """A document whose owner may add fields of its own; they are left alone."""

    class Meta:
        unknown = INCLUDE
