"""A multipart form with one file in it, read a piece at a time, so that memory does not grow with the file."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import IO

Told = Callable[[int], None]


class Form:
    """The body of an upload, for `requests` to read; `told` hears how many bytes were taken each time.

    Raises OSError where the file cannot be read.
    """

    def __init__(self, fields: Mapping[str, str], file: Path, *, told: Told) -> None:
        boundary = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self._told = told
        self._file = file.open("rb")
        self._file_bytes = file.stat().st_size
        self._parts: list[IO[bytes]] = [
            BytesIO(_head(fields, file.name, boundary)), self._file, BytesIO(f"\r\n--{boundary}--\r\n".encode()),
        ]  # fmt: skip
        self._bytes = self._file_bytes + sum(len(p.getbuffer()) for p in self._parts if isinstance(p, BytesIO))

    def __enter__(self) -> Form:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._file.close()

    def __len__(self) -> int:
        return self._bytes

    def read(self, size: int = -1) -> bytes:
        while self._parts:
            piece = self._parts[0].read(size)
            if piece:
                self._told(len(piece))
                return piece
            del self._parts[0]
        return b""


def _head(fields: Mapping[str, str], filename: str, boundary: str) -> bytes:
    quoted = filename.translate({34: "%22", 13: "%0D", 10: "%0A"})
    parts = [_part(boundary, f'name="{name}"', value) for name, value in fields.items()]
    parts.append(_part(boundary, f'name="file"; filename="{quoted}"', "", "Content-Type: application/octet-stream\r\n"))
    return "\r\n".join(parts).encode("utf-8", errors="replace")


def _part(boundary: str, about: str, value: str, more: str = "") -> str:
    return f"--{boundary}\r\nContent-Disposition: form-data; {about}\r\n{more}\r\n{value}"
