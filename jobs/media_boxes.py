"""The length of an MP4 or QuickTime medium: boxes inside boxes (ISO/IEC 14496-12)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jobs.media_bytes import MediaBytes

_MOST_BOXES = 1000
"""Looked at on one level; a real file has a few before the one that counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Box:
    """`start` and `end` enclose what is in it."""

    kind: bytes
    start: int
    end: int


def box_seconds(medium: MediaBytes) -> float | None:
    """What the movie header says; of a movie in fragments, whose header says nothing, the header of the fragments."""
    movie = _first(medium, b"moov", 0, medium.size)
    header = _first(medium, b"mvhd", movie.start, movie.end) if movie else None
    if movie is None or header is None:
        return None
    # Version 1 has moments and lengths of 64 bits.
    wide = medium.read(header.start, 1) == b"\x01"
    scale = medium.number(header.start + (20 if wide else 12), 4)
    units = _length(medium, header.start + (24 if wide else 16), wide=wide) or _of_fragments(medium, movie)
    return units / scale if units and scale else None


def _of_fragments(medium: MediaBytes, movie: _Box) -> int | None:
    extends = _first(medium, b"mvex", movie.start, movie.end)
    header = _first(medium, b"mehd", extends.start, extends.end) if extends else None
    if header is None:
        return None
    return _length(medium, header.start + 4, wide=medium.read(header.start, 1) == b"\x01")


def _length(medium: MediaBytes, at: int, *, wide: bool) -> int | None:
    size = 8 if wide else 4
    units = medium.number(at, size)
    return None if units == 256**size - 1 else units  # all ones: not known


def _first(medium: MediaBytes, kind: bytes, start: int, end: int) -> _Box | None:
    return next((box for box in _boxes(medium, start, end) if box.kind == kind), None)


def _boxes(medium: MediaBytes, start: int, end: int) -> Iterator[_Box]:
    for _ in range(_MOST_BOXES):
        head = medium.read(start, 16)
        if len(head) < 8:
            return
        size, inside = int.from_bytes(head[:4], "big"), 8
        if size == 1:
            size, inside = int.from_bytes(head[8:], "big"), 16
        elif size == 0:  # to the end
            size = end - start
        if size < inside:
            return
        yield _Box(kind=head[4:8], start=start + inside, end=min(start + size, end))
        start += size
        if start >= end:
            return
