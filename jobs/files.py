"""The files of the projects: taken in, looked up, read, forgotten."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import redis

from jobs import keys, scripts
from jobs.errors import FileInUse, FileNotFound, FilesFull, FileTooLarge, TooManyFiles
from jobs.file_bytes import FileBytes
from jobs.file_folder import FileFolder
from jobs.file_record import FIELDS, File, NewFile, read_file
from jobs.incoming import Incoming
from jobs.media_seconds import medium_seconds
from jobs.media_types import HEAD_BYTES, media_type
from jobs.record import new_number, number_of
from schemas.file_parts import FILE_PREFIX

MOST_FILES = 100_000
"""Of one project, since each has a record in Redis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """The file `number` on its way in."""

    number: str
    bytes: Incoming


class Files:
    """`most_bytes` and `most_files` (None: MOST_FILES) are for all files of a project, `most_file_bytes` for each."""

    def __init__(
        self,
        client: redis.Redis,
        folder: FileFolder,
        *,
        most_bytes: int = 2**53,
        most_file_bytes: int = 2**53,
        most_files: int | None = None,
    ) -> None:
        self._client = client
        self._folder = folder
        self._most_bytes = most_bytes
        self._most_file_bytes = most_file_bytes
        self._most_files = most_files

    @contextmanager
    def arriving(self, project: str, *, number: str | None = None) -> Iterator[Arrival]:
        """A place for the bytes of a new file; what is not kept by the end of the block is dropped.

        `number` is what it becomes; bytes that lie there are replaced when it is kept.

        Raises FilesFull, FolderUnavailable, StoreUnavailable; writing to it FileTooLarge, FilesFull, FolderUnavailable.
        """
        with scripts.translated():
            taken: Any = self._client.hget(keys.project(project), "file_bytes")
        room = self._most_bytes - int(taken or 0)
        if room <= 0:
            raise FilesFull(str(self._most_bytes))
        full, large = FilesFull(str(self._most_bytes)), FileTooLarge(str(self._most_file_bytes))
        number, most = number or new_number(), min(room, self._most_file_bytes)
        beyond = full if room < self._most_file_bytes else large
        with self._folder.incoming(number, most_bytes=most, beyond=beyond, name=new_number()) as coming:
            yield Arrival(number=number, bytes=coming)

    def keep(self, new: NewFile, arrival: Arrival) -> File:
        """The file, its bytes on disk and then its record in Redis.

        Raises FilesFull, TooManyFiles, FolderUnavailable, StoreUnavailable.
        """
        content = FileBytes(arrival.bytes.read_back())
        kind = media_type(content.read(0, HEAD_BYTES), new.filename)
        seconds = medium_seconds(content) if kind.startswith(("video/", "audio/")) else None
        arrival.bytes.keep()
        args: list[scripts.Argument] = [
            arrival.number,
            new.project,
            new.purpose,
            arrival.bytes.size,
            (new.expires_after_seconds or 0) * 1000,
            self._most_bytes,
            MOST_FILES if self._most_files is None else self._most_files,
            *("filename", new.filename, "type", kind, "seconds", "" if seconds is None else seconds),
        ]
        answer = scripts.run(self._client, scripts.Call(name="keep_file", keys=[keys.file(arrival.number)], args=args))
        if answer != b"kept":
            self._folder.remove(arrival.number)
            raise FilesFull(str(self._most_bytes)) if answer == b"full" else TooManyFiles(str(MOST_FILES))
        return self.get(FILE_PREFIX + arrival.number, project=new.project)

    def get(self, file_id: str, *, project: str | None) -> File:
        """The file, of `project` or (None) of any. Raises FileNotFound, StoreUnavailable."""
        found = self.get_all([file_id], project=project).get(file_id)
        if found is None:
            raise FileNotFound(file_id)
        return found

    def get_all(self, file_ids: Collection[str], *, project: str | None) -> dict[str, File]:
        """Those that there are, by id, in one round trip. Raises StoreUnavailable."""
        numbers = {file_id: number for file_id in file_ids if (number := number_of(file_id, FILE_PREFIX))}
        with scripts.translated(), self._client.pipeline(transaction=False) as pipeline:
            pipeline.time()
            for number in numbers.values():
                pipeline.hmget(keys.file(number), FIELDS)
            (seconds, _), *rows = pipeline.execute()
        found = {file_id: read_file(n, row) for (file_id, n), row in zip(numbers.items(), rows, strict=True)}
        return {
            file_id: file
            for file_id, file in found.items()
            if file is not None and project in (None, file.project) and (file.batches or not _expired(file, seconds))
        }

    def open(self, file: File) -> BinaryIO:
        """Its bytes, from their beginning. Raises FileNotFound, FolderUnavailable."""
        return self._folder.open(file.number)

    def delete(self, file_id: str, *, project: str | None) -> None:
        """Forgets the file and then removes its bytes.

        Raises FileNotFound, FileInUse, FolderUnavailable, StoreUnavailable.
        """
        number = number_of(file_id, FILE_PREFIX)
        call = scripts.Call(name="forget_file", keys=[keys.file(number or "")], args=[number or "", project or ""])
        answer = scripts.run(self._client, call) if number is not None else b"missing"
        if number is None or answer == b"missing":
            raise FileNotFound(file_id)
        if answer == b"in_use":
            raise FileInUse(file_id)
        self._folder.remove(number)


def _expired(file: File, seconds: float) -> bool:
    return file.expires_at is not None and file.expires_at <= seconds
