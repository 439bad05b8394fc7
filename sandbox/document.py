"""Looking into a file of any kind."""

import hashlib
import mimetypes

from sandbox.facts import DocumentFacts
from sandbox.fetch import Fetched
from sandbox.tokens import count_bytes, count_text

TEXT_BYTES_MAX = 16 * 1024 * 1024  # longer text is counted as bytes only

_STARTS = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
)
_VAGUE = {None, "application/octet-stream", "binary/octet-stream", "text/plain"}


def look_into_document(file: Fetched, *, filename: str | None) -> DocumentFacts:
    """Type, length and digest of a file; characters, lines and words of one that is UTF-8 text."""
    with file.path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        stream.seek(0)
        head = stream.read(16)
    text = _text_of(file)
    return DocumentFacts(
        filename=filename,
        media_type=_media_type(file, head=head, filename=filename, is_text=text is not None),
        byte_count=file.byte_count,
        sha256_start=digest[:12],
        characters=None if text is None else len(text),
        lines=None if text is None else len(text.splitlines()),
        words=None if text is None else len(text.split()),
        tokens=count_bytes(file.byte_count) if text is None else count_text(text),
    )


def _text_of(file: Fetched) -> str | None:
    if file.byte_count > TEXT_BYTES_MAX:
        return None
    try:
        text = file.path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if "\x00" in text else text


def _media_type(file: Fetched, *, head: bytes, filename: str | None, is_text: bool) -> str:
    """What the bytes say goes before what the sender says, and that before the name."""
    for start, media_type in _STARTS:
        if head.startswith(start) and media_type != "application/zip":
            return media_type
    if file.media_type not in _VAGUE:
        return str(file.media_type)
    by_name = mimetypes.guess_type(filename)[0] if filename else None
    zipped = head.startswith(b"PK\x03\x04")
    return by_name or ("text/plain" if is_text else "application/zip" if zipped else "application/octet-stream")
