"""The bytes of a medium in an open file, read where they are wanted."""

from __future__ import annotations

import os
from typing import BinaryIO

from jobs.media_bytes import MediaBytes


class FileBytes(MediaBytes):
    """As those of a data URI. What cannot be read counts as not there."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = os.fstat(file.fileno()).st_size

    def read(self, at: int, count: int) -> bytes:
        if not 0 <= at < self.size or count <= 0:
            return b""
        try:
            return os.pread(self._file.fileno(), min(count, self.size - at), at)
        except OSError:
            return b""
