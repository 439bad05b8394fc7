"""A request whose files go out as data URIs that exist nowhere as a whole."""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from schemas.file_parts import CARRIERS, file_parts

PIECE_BYTES = 48 * 1024
"""Of a file at a time; divisible by three, so that the pieces' base64 is that of the whole."""

_ANY_OWN_ID = re.compile(rb'"file-[0-9a-f]{32}"')


@dataclass(frozen=True, slots=True, kw_only=True)
class DataUri:
    """`size` bytes of an open file, to be written as a data URI."""

    media_type: str
    size: int
    file: BinaryIO

    def __len__(self) -> int:
        return len(self._head) + 4 * -(-self.size // 3)

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        for at in range(0, self.size, PIECE_BYTES):
            wanted = min(PIECE_BYTES, self.size - at)
            piece = os.pread(self.file.fileno(), wanted, at)
            if len(piece) != wanted:
                raise OSError("a file became shorter while it was sent")
            yield base64.b64encode(piece)

    @property
    def _head(self) -> bytes:
        return f"data:{self.media_type};base64,".encode()


class FileBody:
    """A body in pieces, as long as `len` says, that can be gone over again."""

    def __init__(self, parts: list[bytes | DataUri]) -> None:
        self._parts = parts

    def __len__(self) -> int:
        return sum(len(part) for part in self._parts)

    def __iter__(self) -> Iterator[bytes]:
        for part in self._parts:
            if isinstance(part, bytes):
                yield part
            else:
                yield from part


Source = DataUri | str
"""What takes a file's place: its bytes, or an address at which they are."""


def names_files(body: bytes) -> bool:
    """Whether a file of ours may be named in it."""
    return _ANY_OWN_ID.search(body) is not None


def with_files(request: Mapping[str, Any], source: Callable[[str], Source], name: Callable[[str], str]) -> FileBody:
    """The request with the `source` of each file in place of its id, and the `name` of one that comes as data.

    `request` is changed on the way.
    """
    mark = secrets.token_hex(16)
    uris: list[DataUri] = []
    for _, part in file_parts(request):
        file_id, carriers = part.pop("file_id"), CARRIERS[part["type"]]
        found = source(file_id)
        if isinstance(found, str):
            part[carriers.url] = found
            continue
        part[carriers.data] = f"{mark}:{len(uris)}:"
        if carriers.data == "file_data" and part.get("filename") is None:
            part["filename"] = name(file_id)
        uris.append(found)
    text = json.dumps(request, ensure_ascii=False, separators=(",", ":")).encode()
    words = re.split(rb"%s:(\d+):" % mark.encode(), text)
    return FileBody([uris[int(word)] if index % 2 else word for index, word in enumerate(words)])
