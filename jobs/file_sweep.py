"""Removing files that have expired, and bytes on disk that are nobody's."""

from __future__ import annotations

from itertools import islice
from random import choice

import redis

from jobs import keys, scripts
from jobs.file_folder import SHELVES, FileFolder

SWEEP_SECONDS = 60.0
SWEEP_FILES = 500
STALE_SECONDS = 3600.0
"""Older bytes that no record tells of are nobody's."""

PAGE = 500


class FileSweep:
    def __init__(self, client: redis.Redis, folder: FileFolder) -> None:
        self._client = client
        self._folder = folder

    def sweep(self) -> int | None:
        """Removes what has expired and a part of what is nobody's; how much, or None if another has just swept.

        Raises FolderUnavailable, StoreUnavailable.
        """
        args: list[scripts.Argument] = [round(SWEEP_SECONDS * 900), SWEEP_FILES]
        expired = scripts.run(self._client, scripts.Call(name="sweep_files", keys=[keys.FILE_SWEEP], args=args))
        if expired is None:
            return None
        for number in expired:
            self._folder.remove(number.decode())
        return (
            len(expired)
            + self._folder.drop_stale(STALE_SECONDS)
            + self.drop_orphans(
                choice(SHELVES)  # nosec B311  # where to look first is no secret
            )
        )

    def drop_orphans(self, shelf: str) -> int:
        """Removes bytes that no record tells of, of files whose number begins with this digit; how many files.

        Raises FolderUnavailable, StoreUnavailable.
        """
        names = iter(list(self._folder.older_than(STALE_SECONDS, shelf=shelf)))
        dropped = 0
        while page := list(islice(names, PAGE)):
            with scripts.translated(), self._client.pipeline(transaction=False) as pipeline:
                for number in page:
                    pipeline.exists(keys.file(number))
                known = pipeline.execute()
            orphans = [number for number, there in zip(page, known, strict=True) if not there]
            for number in orphans:
                self._folder.remove(number)
            dropped += len(orphans)
        return dropped
