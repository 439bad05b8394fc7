"""The files that a request names by their id, put into it as it goes out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from jobs.errors import FileNotFound, StoreUnavailable
from jobs.file_links import FileLinks
from jobs.file_record import File
from jobs.files import Files
from schemas.file_parts import file_parts
from worker.errors import FileGone, FilesAway
from worker.file_body import DataUri, FileBody, Source, names_files, with_files

AFTER_RUN_SECONDS = 3600.0
"""How much longer a link is good than the call may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileInputs:
    """`links` is None where files go out as data URIs, which need nobody to reach us."""

    files: Files
    links: FileLinks | None = None

    @contextmanager
    def filled(self, body: bytes, seconds: float) -> Iterator[bytes | FileBody]:
        """The request as it is to be sent, by a call that may take `seconds`; its files are held open for the block.

        Takes the memory of the request itself and of one piece of a file. Raises FileGone, FilesAway.
        """
        if not names_files(body):
            yield body
            return
        with ExitStack() as stack:
            try:
                made = self._made(body, seconds, stack)
            except FileNotFound as error:
                raise FileGone(f"the request names {error}, which is no longer kept", sent=False) from error
            except StoreUnavailable as error:
                raise FilesAway(str(error), sent=False) from error
            yield made

    def _made(self, body: bytes, seconds: float, stack: ExitStack) -> FileBody:
        request = json.loads(body)
        found = self._found({part["file_id"] for _, part in file_parts(request)})

        def source(file_id: str) -> Source:
            file = stack.enter_context(self.files.open(found[file_id]))
            if self.links is not None:
                return self.links.link(file_id, seconds=seconds + AFTER_RUN_SECONDS)
            return DataUri(media_type=found[file_id].media_type, size=found[file_id].bytes, file=file)

        return with_files(request, source, lambda file_id: found[file_id].filename)

    def _found(self, file_ids: set[str]) -> dict[str, File]:
        # That they are the project's own was seen to when the job was accepted.
        found = self.files.get_all(file_ids, project=None)
        for file_id in sorted(file_ids - found.keys()):
            raise FileNotFound(file_id)
        return found


@contextmanager
def unfilled(body: bytes, seconds: float) -> Iterator[bytes | FileBody]:
    """The request as it is, where this service keeps no files."""
    yield body
