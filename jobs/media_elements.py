"""The length of a WebM or Matroska medium: elements inside elements (RFC 8794, RFC 9559)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from jobs.media_bytes import MediaBytes

SEGMENT, INFO, TIMESTAMP_SCALE, DURATION = 0x18538067, 0x1549A966, 0x2AD7B1, 0x4489
NANOSECONDS = 1_000_000
"""A unit of time where the medium does not say otherwise."""

_MOST_ELEMENTS = 1000
"""Looked at on one level; what counts comes before the pictures, or after a cluster for every few seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Element:
    """`start` and `end` enclose what is in it."""

    kind: int
    start: int
    end: int


def element_seconds(medium: MediaBytes) -> float | None:
    """What the header of the segment says; None where it leaves the length out, as recordings of a browser do."""
    segment = _first(medium, SEGMENT, 0, medium.size)
    info = _first(medium, INFO, segment.start, segment.end) if segment else None
    if info is None:
        return None
    length = _first(medium, DURATION, info.start, info.end)
    scale = _first(medium, TIMESTAMP_SCALE, info.start, info.end)
    units = _decimal(medium.read(length.start, length.end - length.start)) if length else None
    unit = medium.number(scale.start, min(scale.end - scale.start, 8)) if scale else NANOSECONDS
    return units * unit / 1e9 if units is not None and unit else None


def _decimal(data: bytes) -> float | None:
    match len(data):
        case 4:
            return float(struct.unpack(">f", data)[0])
        case 8:
            return float(struct.unpack(">d", data)[0])
        case _:
            return None


def _first(medium: MediaBytes, kind: int, start: int, end: int) -> _Element | None:
    return next((element for element in _elements(medium, start, end) if element.kind == kind), None)


def _elements(medium: MediaBytes, start: int, end: int) -> Iterator[_Element]:
    for _ in range(_MOST_ELEMENTS):
        head = medium.read(start, 12)
        kind_size = _width(head, most=4)
        size_size = _width(head[kind_size:], most=8)
        if start >= end or not kind_size or not size_size or len(head) < kind_size + size_size:
            return
        inside = start + kind_size + size_size
        size = int.from_bytes(head[kind_size : kind_size + size_size], "big") - (1 << 7 * size_size)
        # All ones: of a size that is not known, so it goes on to the end of what holds it.
        stop = end if size == (1 << 7 * size_size) - 1 else min(inside + size, end)
        yield _Element(kind=int.from_bytes(head[:kind_size], "big"), start=inside, end=stop)
        start = stop


def _width(data: bytes, *, most: int) -> int:
    """Bytes of the number that `data` begins with: one more than its leading zero bits; 0 if it is none."""
    width = 9 - data[0].bit_length() if data else 0
    return width if width <= most else 0
