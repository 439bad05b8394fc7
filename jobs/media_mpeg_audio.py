"""The length of an MP3 sound: its first frame tells the rate, and often how many frames there are."""

from __future__ import annotations

from dataclasses import dataclass

from jobs.media_bytes import MediaBytes

_LAYER_3 = 1
_VERSION_1, _VERSION_2 = 3, 2
_KILOBITS_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KILOBITS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_HERTZ = (44100, 48000, 32000)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """`tag` is where a first frame that holds no sound says how many frames follow, from its start."""

    samples: int
    hertz: int
    bits_per_second: int
    tag: int


def mpeg_audio_seconds(medium: MediaBytes) -> float | None:
    """By the number of frames where that is told (variable rates), else as if all frames were as the first."""
    start = _behind_id3(medium)
    frame = _frame(medium.read(start, 4))
    if frame is None:
        return None
    tag = medium.read(start + frame.tag, 12)
    if tag[:4] in (b"Xing", b"Info") and len(tag) == 12 and tag[7] & 1:
        return int.from_bytes(tag[8:], "big") * frame.samples / frame.hertz
    return (medium.size - start) * 8 / frame.bits_per_second


def _behind_id3(medium: MediaBytes) -> int:
    """A tag of titles and pictures may come first; its size has seven bits in each byte."""
    head = medium.read(0, 10)
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    size = 0
    for byte in head[6:]:
        size = size << 7 | byte & 0x7F
    return 10 + size


def _frame(head: bytes) -> _Frame | None:
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0 or head[1] >> 1 & 3 != _LAYER_3:
        return None
    version, rate, pitch = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or rate in (0, 15) or pitch == 3:  # reserved, or a rate that only the maker knows
        return None
    first, mono = version == _VERSION_1, head[3] >> 6 == 3
    return _Frame(
        samples=1152 if first else 576,
        hertz=_HERTZ[pitch] >> (0 if first else 1 if version == _VERSION_2 else 2),
        bits_per_second=1000 * (_KILOBITS_1 if first else _KILOBITS_2)[rate],
        tag=4 + ((17 if mono else 32) if first else (9 if mono else 17)),
    )
