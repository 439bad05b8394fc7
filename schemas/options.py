"""The small objects of a request that say how the answer is to be made."""

from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow.types import UnknownOption

from schemas.base import Base
from schemas.bounds import Length, OneOf
from schemas.content import type_is
from schemas.fields import Boolean, FreeObject, List, String, raise_mistakes
from schemas.unions import ByType, Either

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
SUMMARIES = ("auto", "concise", "detailed")
MAX_METADATA_PAIRS = 16
MAX_METADATA_KEY_CHARACTERS = 64
MAX_METADATA_VALUE_CHARACTERS = 512


class Metadata(FreeObject):
    """Pairs of strings that mean something to the caller alone."""

    def __init__(self, **options: Any) -> None:
        self.key = String(validate=Length("characters", max=MAX_METADATA_KEY_CHARACTERS))
        self.value = String(validate=Length("characters", max=MAX_METADATA_VALUE_CHARACTERS))
        pairs = Length("pairs", max=MAX_METADATA_PAIRS)
        super().__init__(keys=self.key, values=self.value, validate=pairs, **options)

    def check_inside(self, value: Any, unknown: UnknownOption) -> None:
        raise_mistakes(value.items(), self._check_pair)

    def _check_pair(self, key: str, value: Any) -> None:
        self.key.deserialize(key)
        self.value.deserialize(value)


class ReasoningSchema(Base):
    """How much the model thinks before it answers."""

    effort = String(validate=OneOf(EFFORTS, noun="effort"), allow_none=True)
    summary = String(validate=OneOf(SUMMARIES, noun="summary"), allow_none=True)
    generate_summary = String(validate=OneOf(SUMMARIES, noun="summary"), allow_none=True)


class PlainTextFormatSchema(Base):
    type = type_is("text")


class JsonObjectFormatSchema(Base):
    type = type_is("json_object")


class JsonSchemaFormatSchema(Base):
    type = type_is("json_schema")
    name = String(required=True, validate=Length("characters", min=1, max=64))
    schema = FreeObject(required=True)
    description = String(allow_none=True)
    strict = Boolean(allow_none=True)


class TextSchema(Base):
    """The form of the text that is written."""

    format = ByType(
        {
            "text": PlainTextFormatSchema,
            "json_object": JsonObjectFormatSchema,
            "json_schema": JsonSchemaFormatSchema,
        },
        kind="format",
        allow_none=True,
    )
    verbosity = String(validate=OneOf(("low", "medium", "high"), noun="verbosity"), allow_none=True)


class StreamOptionsSchema(Base):
    include_obfuscation = Boolean(allow_none=True)


class PromptSchema(Base):
    """A stored prompt and what is filled into it."""

    id = String(required=True)
    version = String(allow_none=True)
    variables = FreeObject(allow_none=True)


class ConversationSchema(Base):
    id = String(required=True)


class ThinkingSchema(Base):
    type = String(required=True, validate=OneOf(("enabled", "disabled", "auto"), noun="type"))


class CachingSchema(Base):
    type = String(required=True, validate=OneOf(("enabled", "disabled"), noun="type"))
    prefix = Boolean(allow_none=True)


def open_settings() -> Either:
    """Settings whose inside the endpoint knows: an object, or a list of objects."""
    return Either(FreeObject(), List(FreeObject()), allow_none=True)


def caching_excludes_instructions(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The rule that a request either keeps its prefix in a cache or replaces the instructions, not both."""
    caching = data.get("caching")
    if isinstance(caching, dict) and caching.get("type") == "enabled" and data.get("instructions") is not None:
        yield "caching", "must not be enabled together with instructions"
