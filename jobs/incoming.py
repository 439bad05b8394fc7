"""Bytes on their way into the folder of files."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from jobs.disk import disk_errors, put_on_disk
from jobs.errors import StoreError

BUFFER_BYTES = 256 * 1024


class Incoming:
    """What a form's parser takes for a file to write to."""

    def __init__(self, path: Path, final: Path, *, most_bytes: int, beyond: StoreError) -> None:
        self._path = path
        self._final = final
        self._most_bytes = most_bytes
        self._beyond = beyond
        self._file = path.open("xb+", buffering=BUFFER_BYTES)
        self.size = 0

    def write(self, data: bytes) -> int:
        """Raises what was said for too many bytes, FolderUnavailable."""
        self.size += len(data)
        if self.size > self._most_bytes:
            raise self._beyond
        with disk_errors():
            return self._file.write(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        """What has come stays where it is."""
        return offset

    def read_back(self) -> BinaryIO:
        """What has come so far, to be looked into. Raises FolderUnavailable."""
        with disk_errors():
            self._file.flush()
        return self._file

    def keep(self) -> None:
        """Puts it in its place, where it survives a failure of the power. Raises FolderUnavailable."""
        with disk_errors():
            self._file.flush()
            put_on_disk(self._file.fileno())
            self._path.rename(self._final)
            shelf = os.open(self._final.parent, os.O_RDONLY)
            try:
                put_on_disk(shelf)
            finally:
                os.close(shelf)

    def drop(self) -> None:
        """Lets go of it, and of its bytes if they were not kept."""
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self._path.unlink()
