"""What kind of medium some bytes are: by how they begin, else by what the file is called."""

from __future__ import annotations

import re
from mimetypes import MimeTypes

HEAD_BYTES = 512
"""As many as need be looked at."""

OCTETS = "application/octet-stream"

_BEGINNINGS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"%PDF-", "application/pdf"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"FLV\x01", "video/x-flv"),
    (b"\x00\x00\x01\xba", "video/mpeg"),
    (b"\x00\x00\x01\xb3", "video/mpeg"),
)
_IN_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_BRANDS = (
    ((b"avif", b"avis"), "image/avif"),
    ((b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"heim", b"heis"), "image/heic"),
    ((b"M4A ", b"M4B "), "audio/mp4"),
    ((b"qt  ",), "video/quicktime"),
)
_BOXES = (b"moov", b"mdat", b"wide", b"free", b"skip")
_OLD_BITMAP = re.compile(rb"BM.{4}\x00{4}", re.DOTALL)
_PACKET_BYTES = 188
_NAMED = MimeTypes()
"""The standard library's own list: that of the machine might differ between API and worker."""

_FIT = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)


def media_type(head: bytes, filename: str) -> str:
    """TYPE/SUBTYPE of what begins with `head`, HEAD_BYTES of it where there are as many."""
    return _by_content(head) or _by_name(filename)


def _by_content(head: bytes) -> str | None:
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return kind
    if head[:4] in (b"RIFF", b"RF64"):
        return _IN_RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return next((kind for brands, kind in _BRANDS if head[8:12] in brands), "video/mp4")
    if head[4:8] in _BOXES:
        return "video/quicktime"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    if _OLD_BITMAP.match(head):
        return "image/bmp"
    if head[:1] == b"G" and head[_PACKET_BYTES : _PACKET_BYTES + 1] == b"G":
        return "video/mp2t"
    return _of_frames(head[:2])


def _of_frames(start: bytes) -> str | None:
    """A sound that begins with a frame of it: eleven bits are set in each, the layer tells the kind."""
    if len(start) < 2 or start[0] != 0xFF or start[1] & 0xE0 != 0xE0:
        return None
    layer, version = start[1] >> 1 & 3, start[1] >> 3 & 3
    if layer == 0:
        return "audio/aac" if start[1] & 0xF0 == 0xF0 else None
    return "audio/mpeg" if version != 1 else None


def _by_name(filename: str) -> str:
    kind, packed = _NAMED.guess_type("x." + filename.rpartition(".")[2]) if "." in filename else (None, None)
    return kind if kind and not packed and _FIT.fullmatch(kind) else OCTETS
