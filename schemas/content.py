"""The parts that a message is made of. Nothing here is ever fetched; media are judged by how they are written."""

from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow.exceptions import SCHEMA

from schemas.base import Base
from schemas.bounds import OneOf, Range
from schemas.fields import FreeObject, Integer, List, Number, Object, String
from schemas.media import DataUri, Medium
from schemas.unions import ByType, Either


def type_is(name: str) -> String:
    """The field that tells one shape from the others."""
    return String(required=True, validate=OneOf((name,), noun="type"))


def exactly_one(data: Mapping[str, Any], *names: str) -> Iterator[tuple[str, str]]:
    """The rule that one of the named fields is given, no more; null counts as not given."""
    given = [name for name in names if data.get(name) is not None]
    if len(given) != 1:
        yield SCHEMA, f"must have exactly one of {', '.join(names)}, got {' and '.join(given) or 'none'}"


class InputTextSchema(Base):
    type = type_is("input_text")
    text = String(required=True)


class ImagePixelLimitSchema(Base):
    min_pixels = Integer(validate=Range(min=1), allow_none=True)
    max_pixels = Integer(validate=Range(min=1), allow_none=True)

    def rules(self, data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        low, high = data.get("min_pixels"), data.get("max_pixels")
        if isinstance(low, int) and isinstance(high, int) and low > high:
            yield "max_pixels", f"must be at least min_pixels, got {high} below {low}"


class InputImageSchema(Base):
    type = type_is("input_image")
    image_url = Medium(allow_none=True)
    file_id = String(allow_none=True)
    detail = String(validate=OneOf(("auto", "low", "high", "original"), noun="detail"), allow_none=True)
    image_pixel_limit = Object(ImagePixelLimitSchema, allow_none=True)

    def rules(self, data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        yield from exactly_one(data, "image_url", "file_id")


class InputVideoSchema(Base):
    type = type_is("input_video")
    video_url = Medium(allow_none=True)
    file_id = String(allow_none=True)
    fps = Number(
        validate=Range(min=0, min_inclusive=False),
        allow_none=True,
        metadata={"exclusiveMinimum": 0, "description": "Frames looked at for each second of the video."},
    )

    def rules(self, data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        yield from exactly_one(data, "video_url", "file_id")


class InputAudioSchema(Base):
    type = type_is("input_audio")
    audio_url = Medium(allow_none=True)
    file_id = String(allow_none=True)
    chunking = Either(String(), FreeObject(), allow_none=True)

    def rules(self, data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        yield from exactly_one(data, "audio_url", "file_id")


class InputFileSchema(Base):
    type = type_is("input_file")
    file_url = Medium(allow_none=True)
    file_id = String(allow_none=True)
    file_data = DataUri(allow_none=True)
    filename = String(allow_none=True)
    detail = String(validate=OneOf(("auto", "low", "high"), noun="detail"), allow_none=True)

    def rules(self, data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        yield from exactly_one(data, "file_url", "file_id", "file_data")
        if data.get("file_data") is not None and data.get("filename") is None:
            yield "filename", "is required with file_data"


class OutputTextSchema(Base):
    """Text that a model wrote earlier in the conversation."""

    type = type_is("output_text")
    text = String(required=True)
    annotations = List(FreeObject(), allow_none=True)
    logprobs = List(FreeObject(), allow_none=True)


class RefusalSchema(Base):
    type = type_is("refusal")
    refusal = String(required=True)


INPUT_PARTS: dict[str, type[Base]] = {
    "input_text": InputTextSchema,
    "input_image": InputImageSchema,
    "input_video": InputVideoSchema,
    "input_audio": InputAudioSchema,
    "input_file": InputFileSchema,
}
MESSAGE_PARTS: dict[str, type[Base]] = {**INPUT_PARTS, "output_text": OutputTextSchema, "refusal": RefusalSchema}


def content_of(parts: Mapping[str, type[Base]], **options: Any) -> Either:
    """A string, or a list of parts of the given types."""
    return Either(String(), List(ByType(parts, kind="content")), **options)
