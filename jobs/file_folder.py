"""The bytes of files, on a disk that API and workers share."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from jobs.disk import disk_errors
from jobs.errors import FileNotFound, SettingsError, StoreError
from jobs.incoming import Incoming
from schemas.file_parts import FILE_PREFIX

SHELVES = "0123456789abcdef"
"""One folder for each first digit of a number."""


class FileFolder:
    """`SHELF/NUMBER` holds a file's bytes, `incoming` those that are still to become a file.

    Names of callers are never among the paths.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._incoming = path / "incoming"

    def make(self) -> None:
        """Raises SettingsError if files cannot be kept there."""
        try:
            for folder in (self._path, self._incoming, *(self._path / digit for digit in SHELVES)):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError("RESPOOL_FILES_FOLDER", f"files cannot be kept there: {error.strerror}") from error
        if not os.access(self._incoming, os.W_OK | os.X_OK):
            raise SettingsError("RESPOOL_FILES_FOLDER", "files cannot be kept there: it cannot be written")

    @contextmanager
    def incoming(
        self, number: str, *, most_bytes: int, beyond: StoreError, name: str | None = None
    ) -> Iterator[Incoming]:
        """Takes the bytes of the file `number`, and drops them unless they are kept. Raises FolderUnavailable.

        `beyond` is raised by the write that exceeds `most_bytes`; `name` is what it is called until it is kept.
        """
        with disk_errors():
            coming = Incoming(self._incoming / (name or number), self._at(number), most_bytes=most_bytes, beyond=beyond)
        try:
            yield coming
        finally:
            coming.drop()

    def open(self, number: str) -> BinaryIO:
        """The bytes, from their beginning. Raises FileNotFound, FolderUnavailable."""
        path = self._at(number)
        with disk_errors():
            try:
                return path.open("rb")
            except FileNotFoundError as error:
                if not path.parent.is_dir():
                    raise  # the disk itself is away
                raise FileNotFound(FILE_PREFIX + number) from error

    def remove(self, number: str) -> None:
        """Raises FolderUnavailable."""
        with disk_errors(), suppress(FileNotFoundError):
            self._at(number).unlink()

    def older_than(self, seconds: float, *, shelf: str) -> Iterator[str]:
        """The numbers of a shelf's files whose bytes have not changed for so long. Raises FolderUnavailable."""
        return _older(self._path / shelf, seconds)

    def drop_stale(self, seconds: float) -> int:
        """Removes what nobody has written at for so long and never became a file; how much it was.

        Raises FolderUnavailable.
        """
        stale = list(_older(self._incoming, seconds))
        with disk_errors():
            for name in stale:
                (self._incoming / name).unlink(missing_ok=True)
        return len(stale)

    def _at(self, number: str) -> Path:
        return self._path / number[0] / number


def _older(folder: Path, seconds: float) -> Iterator[str]:
    before = time.time() - seconds
    with disk_errors(), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                if entry.stat(follow_symlinks=False).st_mtime < before and entry.is_file(follow_symlinks=False):
                    yield entry.name
