"""The file of a batch, a line at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class RawLine:
    """`line` counts from 1, `end` is the place in the file behind it; `data` is None of one that is too long, and empty
    where nothing stands in it: such a line is no request."""

    line: int
    end: int
    data: bytes | None


def read_lines(file: BinaryIO, *, most_bytes: int, line: int = 0, offset: int = 0) -> Iterator[RawLine]:
    """The lines behind the line `line`, which ends at `offset`; of none is more than `most_bytes` held."""
    file.seek(offset)
    while data := file.readline(most_bytes + 2):
        line, offset = line + 1, offset + len(data)
        stripped = data.strip(b" \t\r\n")
        if len(stripped) > most_bytes:
            offset += 0 if data.endswith(b"\n") else _skip_line(file)
            yield RawLine(line=line, end=offset, data=None)
        else:
            yield RawLine(line=line, end=offset, data=stripped)


def _skip_line(file: BinaryIO) -> int:
    """How many bytes were left of the present line."""
    skipped = 0
    while data := file.readline(CHUNK_BYTES):
        skipped += len(data)
        if data.endswith(b"\n"):
            break
    return skipped


def in_pieces(lines: Iterator[RawLine], *, most_lines: int, most_bytes: int) -> Iterator[list[RawLine]]:
    """The lines, so many at a time, or fewer that come to as many bytes; one that alone is larger ends its piece."""
    piece: list[RawLine] = []
    held = 0
    for raw in lines:
        piece.append(raw)
        held += len(raw.data or b"")
        if len(piece) >= most_lines or held >= most_bytes:
            yield piece
            piece, held = [], 0
    if piece:
        yield piece
