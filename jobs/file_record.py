"""A file's record: what is known of it beside its bytes, and how that lies in Redis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.file_parts import FILE_PREFIX

FIELDS = ("project", "purpose", "bytes", "filename", "type", "seconds", "created", "expires", "batches")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A file to be kept for `expires_after_seconds` (None: until it is deleted)."""

    project: str
    purpose: str
    filename: str
    expires_after_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """`media_type` is judged by its content first; `seconds` is how long a medium says it takes.

    `batches` counts those that read it and have not ended: until then, it does not go.
    `created` is in microseconds, `expires_at` in seconds, both since the epoch.
    """

    number: str
    project: str
    purpose: str
    filename: str
    bytes: int
    media_type: str
    seconds: float | None
    created: int
    expires_at: float | None
    batches: int = 0

    @property
    def id(self) -> str:
        return FILE_PREFIX + self.number


def read_file(number: str, values: Sequence[bytes | None]) -> File | None:
    """The record from its FIELDS; None where there is none."""
    if values[0] is None:
        return None
    project, purpose, size, filename, kind, seconds, created, expires, batches = (value or b"" for value in values)
    return File(
        number=number,
        project=project.decode(),
        purpose=purpose.decode(),
        filename=filename.decode(),
        bytes=int(size),
        media_type=kind.decode(),
        seconds=float(seconds) if seconds else None,
        created=int(created),
        expires_at=int(expires) / 1000 if expires else None,
        batches=int(batches or 0),
    )
