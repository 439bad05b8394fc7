"""What a request says and shows, part by part, as a page lays it out."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from api.console.policy import origin_of
from schemas.file_parts import CARRIERS, is_own_id
from schemas.input_items import items_of

SAFE_TYPES = frozenset({
    "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp",
    "video/mp4", "video/webm", "video/ogg", "video/quicktime", "video/x-matroska",
    "audio/mpeg", "audio/mp4", "audio/ogg", "audio/wav", "audio/webm", "audio/flac", "audio/aac",
})  # fmt: skip
"""What a browser shows or plays, and nothing of which it runs."""

MOST_CHARACTERS = 200_000
"""Of a text: a page is no place for more."""

MOST_PARTS = 200
"""Of a request, or of an answer."""

CUT = "\n… It goes on; the whole can be saved."


@dataclass(frozen=True, slots=True, kw_only=True)
class Medium:
    """`kind` is image, video, audio or file. One of: `file_id` of ours, `url` elsewhere with its `origin` where that
    can be allowed, `data` (a data URI) which is the `number`-th of the request. `settings` is what is asked of it.
    """

    kind: str
    settings: str
    number: int
    file_id: str | None = None
    url: str | None = None
    origin: str | None = None
    data: str | None = None

    @property
    def media_type(self) -> str:
        """That of a data URI."""
        return (self.data or "")[5:].partition(";")[0].partition(",")[0].lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A text, a medium, or (`other`) whatever else was sent, as JSON."""

    text: str | None = None
    medium: Medium | None = None
    other: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    role: str
    parts: list[Part]


def turns(request: Mapping[str, Any]) -> list[Turn]:
    """The input of a request."""
    count = iter(range(10**9))
    return [_turn(item, count) for item in items_of(request.get("input") or [])]


def media(request: Mapping[str, Any]) -> Iterator[Medium]:
    for turn in turns(request):
        for part in turn.parts:
            if part.medium is not None:
                yield part.medium


def decoded(medium: Medium) -> bytes:
    """The bytes of a data URI; none for what is not one."""
    try:
        return base64.b64decode((medium.data or "").partition(",")[2])
    except binascii.Error:
        return b""


def bounded(whole: Sequence[Turn]) -> tuple[list[Turn], int]:
    """The turns with their first MOST_PARTS parts and MOST_CHARACTERS characters, and how many parts are left out."""
    kept: list[Turn] = []
    left, count = MOST_CHARACTERS, 0
    for turn in whole:
        parts = []
        for part in turn.parts:
            if count == MOST_PARTS or left <= 0:
                break
            parts.append(
                replace(part, text=part.text and clip(part.text, left), other=part.other and clip(part.other, left))
            )
            left -= len(part.text or part.other or "")
            count += 1
        if parts:
            kept.append(replace(turn, parts=parts))
    return kept, sum(len(turn.parts) for turn in whole) - count


def clip(text: str, most: int = MOST_CHARACTERS) -> str:
    return text if len(text) <= most else text[:most] + CUT


def pretty(value: object) -> str:
    """As JSON, as far as a page shows it: what is very long is not made to its end."""
    pieces: list[str] = []
    length = 0
    for piece in json.JSONEncoder(ensure_ascii=False, indent=2).iterencode(value):
        pieces.append(piece)
        length += len(piece)
        if length > MOST_CHARACTERS:
            break
    return clip("".join(pieces))


def _turn(item: Mapping[str, Any], count: Iterator[int]) -> Turn:
    content = item.get("content")
    role = str(item.get("role") or item.get("type") or "item")
    if isinstance(content, str):
        return Turn(role=role, parts=[Part(text=content)])
    if isinstance(content, list) and item.get("type") in (None, "message"):
        return Turn(role=role, parts=[_part(part, count) for part in content])
    return Turn(role=role, parts=[Part(other=pretty(item))])


def _part(part: Any, count: Iterator[int]) -> Part:
    if not isinstance(part, Mapping):
        return Part(other=pretty(part))
    if isinstance(part.get("text"), str):
        return Part(text=part["text"])
    carriers = CARRIERS.get(str(part.get("type")))
    if carriers is None:
        return Part(other=pretty(part))
    return Part(medium=_medium(part, part.get(carriers.data) or part.get(carriers.url), next(count)))


def _medium(part: Mapping[str, Any], address: Any, number: int) -> Medium:
    kind = str(part["type"]).removeprefix("input_")
    told = {name: value for name, value in part.items() if name in ("fps", "detail", "filename", "min_frames")}
    settings = ", ".join(f"{name} {value}" for name, value in told.items() if value is not None)
    file_id, text = part.get("file_id"), address if isinstance(address, str) else ""
    if text.startswith("data:"):
        return Medium(kind=kind, settings=settings, number=number, data=text)
    return Medium(
        kind=kind,
        settings=settings,
        number=number,
        file_id=str(file_id) if is_own_id(file_id) else None,
        url=text or (str(file_id) if file_id and not is_own_id(file_id) else None),
        origin=origin_of(text) if text else None,
    )
