"""Files as they are handed out."""

from __future__ import annotations

from typing import Any

from jobs.file_record import File


def dump_file(file: File) -> dict[str, Any]:
    """Of the shape of FileSchema."""
    shown: dict[str, Any] = {
        "id": file.id,
        "object": "file",
        "bytes": file.bytes,
        "created_at": file.created // 1_000_000,
        "filename": file.filename,
        "purpose": file.purpose,
        "status": "processed",
    }
    if file.expires_at is not None:
        shown["expires_at"] = int(file.expires_at)
    return shown
