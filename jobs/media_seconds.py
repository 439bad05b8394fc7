"""How long a video or a sound is that stands in a request as a data URI."""

from __future__ import annotations

from jobs.media_boxes import box_seconds
from jobs.media_bytes import MediaBytes
from jobs.media_elements import element_seconds
from jobs.media_mpeg_audio import mpeg_audio_seconds
from jobs.media_riff import avi_seconds, wav_seconds

MOST_SECONDS = 86400.0

_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp")


def seconds_of(data_uri: str) -> float | None:
    """Seconds that the medium in a base64 data URI says it takes; None where it says nothing that can be read.

    Knows MP4 and MOV (also M4A), WebM and Matroska, AVI, WAV and MP3, by their content. Never raises, and decodes
    only the parts that tell. What is longer than a day counts as a day.
    """
    if data_uri[:5].lower() != "data:":
        return None
    return medium_seconds(MediaBytes(data_uri))


def medium_seconds(medium: MediaBytes) -> float | None:
    """The same of a medium, wherever it lies."""
    seconds = _told(medium)
    if seconds is None or not 0 < seconds < float("inf"):
        return None
    return min(seconds, MOST_SECONDS)


def _told(medium: MediaBytes) -> float | None:
    head = medium.read(0, 12)
    if head[4:8] in _BOXES:
        return box_seconds(medium)
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return element_seconds(medium)
    if head[:4] in (b"RIFF", b"RF64"):
        return wav_seconds(medium) if head[8:] == b"WAVE" else avi_seconds(medium) if head[8:] == b"AVI " else None
    return mpeg_audio_seconds(medium)
