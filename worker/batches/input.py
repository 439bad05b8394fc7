"""The file that a batch reads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from jobs.batches.input_file import RawLine, read_lines
from jobs.batches.record import Batch
from jobs.files import Files

SLACK_BYTES = 16 * 1024
"""For what stands around a request in its line."""

UNBOUNDED = 2**31
"""A line that was found valid is read, whatever another worker is set to."""


class Input:
    """`most_body_bytes` is for the request in a line."""

    def __init__(self, files: Files, *, most_body_bytes: int) -> None:
        self._files = files
        self.most_line_bytes = most_body_bytes + SLACK_BYTES

    @contextmanager
    def lines(
        self, batch: Batch, *, line: int = 0, offset: int = 0, most_bytes: int = UNBOUNDED
    ) -> Iterator[Iterator[RawLine]]:
        """Those behind the line `line`, which ends at `offset`; `most_bytes` is for each, as long as none was judged.

        Raises FileNotFound if the bytes are lost, FolderUnavailable, StoreUnavailable.
        """
        with self._files.open(self._files.get(batch.input_file_id, project=None)) as file:
            yield read_lines(file, most_bytes=most_bytes, line=line, offset=offset)

    def bytes(self, batch: Batch) -> int:
        """Of the whole file. Raises as `lines` does."""
        with self._files.open(self._files.get(batch.input_file_id, project=None)) as file:
            return os.fstat(file.fileno()).st_size
