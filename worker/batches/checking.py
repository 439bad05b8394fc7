"""A batch that is `validating`: its file is read once, a piece at a time."""

from __future__ import annotations

from collections.abc import Generator

from jobs.batches.input_file import in_pieces
from jobs.batches.record import Batch
from jobs.batches.runs import BatchEnd, BatchRuns
from worker.batches.input import Input
from worker.batches.validation import Validation

PIECE_BYTES = 512 * 1024
PIECE_LINES = 250


class Checking:
    def __init__(self, runs: BatchRuns, source: Input) -> None:
        self._runs = runs
        self._source = source

    def work(self, batch: Batch) -> Generator[None, None, None]:
        """Ends with the batch in progress, or failed."""
        self._runs.hold(batch)
        found = Validation(endpoint=batch.endpoint, most_line_bytes=self._source.most_line_bytes)
        with self._source.lines(batch, most_bytes=found.most_line_bytes) as lines:
            for piece in in_pieces(lines, most_lines=PIECE_LINES, most_bytes=PIECE_BYTES):
                for raw in piece:
                    found.add(raw)
                    if found.is_decided:
                        break
                if found.is_decided:
                    break
                yield
                self._runs.hold(batch)
        found.close()
        if found.mistakes:
            self._runs.end(batch, BatchEnd(status="failed", errors=found.mistakes))
        else:
            self._runs.begin(batch, total=found.total, model=found.model or "")
