"""How many tokens a request may take, before anyone has counted them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from jobs.file_record import File
from jobs.limit_fields import Decimals, Whole, read_numbers
from jobs.media_seconds import seconds_of

MOST_TOKENS = 10_000_000
"""No request takes more, whatever output it allows."""

_TOKENS = Whole(low=0, high=MOST_TOKENS)
_PER_UNIT = Decimals(low=0, high=10**6)
_SECONDS = Decimals(low=0, high=86400)
FIELDS: Mapping[str, Whole | Decimals] = {
    "characters_per_token": Decimals(low=0.1, high=100),
    "image_tokens": _TOKENS,
    "video_tokens_per_frame": _PER_UNIT,
    "video_fps": Decimals(low=0.01, high=100),
    "video_seconds": _SECONDS,
    "audio_tokens_per_second": _PER_UNIT,
    "audio_seconds": _SECONDS,
    "file_tokens": _TOKENS,
    "output_tokens": _TOKENS,
}
_OF_MEDIA = ("image_tokens", "video_tokens_per_frame", "audio_tokens_per_second", "file_tokens")
_PARTS_WITH_TEXT = ("content", "text", "refusal", "summary", "arguments", "input", "output")
_TEXT_URI = re.compile(r"data:(?:text/|application/(?:[\w.+-]*\+)?(?:json|xml|yaml)\b)[^,]*,", re.IGNORECASE)
_LONGEST_HEADER = 256
_NO_FILES: Mapping[str, File] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateRule:
    """`video_fps` holds where the request names none; the two lengths where neither caller nor medium tells one;
    `output_tokens` where the request sets no `max_output_tokens`."""

    characters_per_token: float = 3.0
    image_tokens: int = 1300
    video_tokens_per_frame: float = 250.0
    video_fps: float = 1.0
    video_seconds: float = 60.0
    audio_tokens_per_second: float = 25.0
    audio_seconds: float = 120.0
    file_tokens: int = 3000
    output_tokens: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """At most MOST_TOKENS in total."""

    input_tokens: int
    output_tokens: int

    @property
    def total_tokens(self) -> int:
        return self.input_tokens + self.output_tokens


def read_rule(table: Mapping[str, object]) -> EstimateRule:
    """The rule of the [estimate] table. Raises ValueError, which names the field."""
    return EstimateRule(**read_numbers(table, FIELDS))  # type: ignore[arg-type]


def estimate(
    request: Mapping[str, Any],
    rule: EstimateRule,
    *,
    video_seconds: Sequence[float] | float | None = None,
    stated_tokens: int | None = None,
    files: Mapping[str, File] = _NO_FILES,
) -> Estimate:
    """Input by the length of its texts and the kind and length of its media, plus the most output it asks for.

    `video_seconds` is the length of all videos, or of each in the order of the input; what it leaves out is taken from
    the medium, or from the rule. `stated_tokens`, the caller's own estimate of the whole, wins over all of that, but
    never says less than the texts take. `files` are those that the request names, by their ids.
    """
    most_output = request.get("max_output_tokens")
    output = rule.output_tokens if most_output is None else most_output
    if stated_tokens is not None:
        texts = _Counter(replace(rule, **dict.fromkeys(_OF_MEDIA, 0)), video_seconds, files).tokens(request)
        total = min(max(stated_tokens, texts), MOST_TOKENS)
        output = min(output, total)
        return Estimate(input_tokens=total - output, output_tokens=output)
    read = min(_Counter(rule, video_seconds, files).tokens(request), MOST_TOKENS)
    return Estimate(input_tokens=read, output_tokens=min(output, MOST_TOKENS - read))


class _Counter:
    """Counts one request."""

    def __init__(
        self, rule: EstimateRule, video_seconds: Sequence[float] | float | None, files: Mapping[str, File]
    ) -> None:
        self._rule = rule
        self._files = files
        self._everywhere = video_seconds if isinstance(video_seconds, int | float) else None
        self._each: Iterator[float] = iter(video_seconds if isinstance(video_seconds, Sequence) else ())

    def tokens(self, request: Mapping[str, Any]) -> int:
        return (
            self._of(request.get("input"))
            + self._of(request.get("instructions"))
            + self._written(request.get("tools"))
            + self._written(request.get("text"))
        )

    def _of(self, value: object) -> int:
        match value:
            case str():
                return self._text(len(value))
            case list():
                return sum(self._of(item) for item in value)
            case dict():
                return self._part(value)
            case _:
                return 0

    def _part(self, part: Mapping[str, Any]) -> int:
        match part.get("type"):
            case "input_image":
                return self._rule.image_tokens
            case "input_video":
                return self._video(part)
            case "input_audio":
                return self._audio(part)
            case "input_file":
                return self._file(part)
            case _:
                return sum(self._of(part.get(name)) for name in _PARTS_WITH_TEXT)

    def _text(self, characters: int) -> int:
        return math.ceil(characters / self._rule.characters_per_token)

    def _written(self, value: object) -> int:
        """What the model is shown as JSON."""
        return self._text(len(json.dumps(value, ensure_ascii=False))) if value else 0

    def _video(self, part: Mapping[str, Any]) -> int:
        seconds = self._everywhere if self._everywhere is not None else next(self._each, None)
        if seconds is None:
            seconds = self._length(part, "video_url", otherwise=self._rule.video_seconds)
        frames = seconds * (part.get("fps") or self._rule.video_fps)
        return _whole(max(1.0, frames) * self._rule.video_tokens_per_frame)

    def _audio(self, part: Mapping[str, Any]) -> int:
        seconds = self._length(part, "audio_url", otherwise=self._rule.audio_seconds)
        return _whole(seconds * self._rule.audio_tokens_per_second)

    def _length(self, part: Mapping[str, Any], url: str, *, otherwise: float) -> float:
        """Seconds that the medium of a file or of a data URI takes, as far as it shows them."""
        file, uri = self._named(part), part.get(url)
        seconds = file.seconds if file else seconds_of(uri) if isinstance(uri, str) else None
        return otherwise if seconds is None else seconds

    def _named(self, part: Mapping[str, Any]) -> File | None:
        name = part.get("file_id")
        return self._files.get(name) if isinstance(name, str) else None

    def _file(self, part: Mapping[str, Any]) -> int:
        if file := self._named(part):
            return self._text(file.bytes) if _TEXT_URI.match(f"data:{file.media_type},") else self._rule.file_tokens
        uri = part.get("file_data") or part.get("file_url")
        if not isinstance(uri, str) or not (header := _TEXT_URI.match(uri, 0, _LONGEST_HEADER)):
            return self._rule.file_tokens
        return self._text((len(uri) - header.end()) * 3 // 4)


def _whole(tokens: float) -> int:
    return math.ceil(min(tokens, MOST_TOKENS))
