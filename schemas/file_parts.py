"""The parts of a request that may name a file instead of carrying it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

FILE_PREFIX = "file-"
_OWN_ID = re.compile(r"file-[0-9a-f]{32}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Carriers:
    """The fields in which a part carries its bytes as a data URI, and names an address to fetch them from."""

    data: str
    url: str


CARRIERS = {
    "input_image": Carriers(data="image_url", url="image_url"),
    "input_video": Carriers(data="video_url", url="video_url"),
    "input_audio": Carriers(data="audio_url", url="audio_url"),
    "input_file": Carriers(data="file_data", url="file_url"),
}
"""By the type of the part."""


def is_own_id(file_id: object) -> bool:
    """Whether this can be the id of a file that was uploaded here; any other is the upstream's own affair."""
    return isinstance(file_id, str) and _OWN_ID.fullmatch(file_id) is not None


def file_parts(request: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every part of a request that names a file of ours, with its path, such as `input[0].content[1]`."""
    yield from _below(request.get("input"), "input")
    yield from _below(request.get("instructions"), "instructions")
    prompt = request.get("prompt")
    variables = prompt.get("variables") if isinstance(prompt, Mapping) else None
    for name, value in variables.items() if isinstance(variables, Mapping) else ():
        yield from _below(value, f"prompt.variables.{name}")


def _below(value: object, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    match value:
        case list():
            for index, entry in enumerate(value):
                yield from _below(entry, f"{path}[{index}]")
        case dict() if isinstance(kind := value.get("type"), str) and kind in CARRIERS:
            if is_own_id(value.get("file_id")):
                yield path, value
        case dict():
            for name in ("content", "output"):
                yield from _below(value.get(name), f"{path}.{name}")
        case _:
            return
