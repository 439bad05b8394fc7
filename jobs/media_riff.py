"""The length of an AVI video or a WAV sound: chunks in a RIFF file."""

from __future__ import annotations

from collections.abc import Iterator

from jobs.media_bytes import MediaBytes

_MOST_CHUNKS = 1000
_FIRST = 12
"""Where the chunks begin, behind the name of the whole."""


def wav_seconds(medium: MediaBytes) -> float | None:
    """The bytes of sound by the bytes a second. A size that was never written is what is there."""
    rate = None
    for kind, start, size in _chunks(medium):
        if kind == b"fmt ":
            rate = medium.little(start + 8, 4)
        elif kind == b"data":
            there = medium.size - start
            return (min(size, there) or there) / rate if rate else None
    return None


def avi_seconds(medium: MediaBytes) -> float | None:
    """The frames by the microseconds that each is shown, as the main header says, which is the first of all."""
    if medium.read(_FIRST + 8, 8) != b"hdrlavih":
        return None
    header = _FIRST + 20
    frame, frames = medium.little(header, 4), medium.little(header + 16, 4)
    return frame * frames / 1e6 if frame and frames else None


def _chunks(medium: MediaBytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and size of each; they begin at even places."""
    at = _FIRST
    for _ in range(_MOST_CHUNKS):
        head = medium.read(at, 8)
        if len(head) < 8:
            return
        size = int.from_bytes(head[4:], "little")
        yield head[:4], at + 8, size
        at += 8 + size + size % 2
