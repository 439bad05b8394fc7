"""A batch none of whose lines runs any more: its files are written, and it ends."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator
from contextlib import suppress
from itertools import islice

from jobs.batches.input_file import RawLine
from jobs.batches.lines import Lines
from jobs.batches.record import Batch
from jobs.batches.runs import BatchEnd, BatchRuns
from jobs.errors import FileNotFound
from jobs.file_record import NewFile
from jobs.files import Arrival, Files
from schemas.file_parts import FILE_PREFIX
from worker.batches.input import Input
from worker.batches.tally import Tally, is_good, told_line

PAGE = 50
PURPOSE = "batch_output"


class Finalizing:
    def __init__(self, runs: BatchRuns, source: Input, lines: Lines, files: Files) -> None:
        self._runs = runs
        self._source = source
        self._lines = lines
        self._files = files

    def work(self, batch: Batch) -> Generator[None, None, None]:
        """Ends with the batch ended. Files that another runner wrote before it died are written anew."""
        self._runs.hold(batch)
        numbers = {kind: file_number(batch, kind) for kind in ("output", "error")}
        for number in numbers.values():
            with suppress(FileNotFound):
                self._files.delete(FILE_PREFIX + number, project=batch.project)
        tally = Tally()
        with (
            self._files.arriving(batch.project, number=numbers["output"]) as good,
            self._files.arriving(batch.project, number=numbers["error"]) as bad,
        ):
            yield from self._write(batch, tally, good, bad)
            output = self._keep(batch, good, "output") if tally.completed else None
            error = self._keep(batch, bad, "error") if tally.failed else None
        self._runs.end(batch, _end(batch, tally, output, error))

    def _write(self, batch: Batch, tally: Tally, good: Arrival, bad: Arrival) -> Generator[None, None, None]:
        with self._source.lines(batch) as lines:
            while piece := list(islice(lines, PAGE)):
                self._write_piece(batch, tally, [raw for raw in piece if raw.data], good, bad)
                yield
                self._runs.hold(batch)

    def _write_piece(self, batch: Batch, tally: Tally, piece: list[RawLine], good: Arrival, bad: Arrival) -> None:
        found = self._lines.read(batch.number, [raw.line for raw in piece])
        for raw in piece:
            line = found.get(raw.line)
            shown = told_line(batch, number=raw.line, data=raw.data or b"", line=line)
            text = json.dumps(shown, ensure_ascii=False, separators=(",", ":")) + "\n"
            (good if is_good(shown) else bad).bytes.write(text.encode())
            tally.add(shown, line)

    def _keep(self, batch: Batch, arrival: Arrival, kind: str) -> str:
        new = NewFile(
            project=batch.project,
            purpose=PURPOSE,
            filename=f"{batch.id}_{kind}.jsonl",
            expires_after_seconds=batch.output_expires_after_seconds,
        )
        return self._files.keep(new, arrival).id


def file_number(batch: Batch, kind: str) -> str:
    """That of a file which the batch writes, always the same; `kind` is output or error."""
    return hashlib.sha256(f"{batch.number}:{kind}".encode()).hexdigest()[:32]


def _end(batch: Batch, tally: Tally, output: str | None, error: str | None) -> BatchEnd:
    status = "cancelled" if batch.status == "cancelling" else "completed"
    if batch.status == "finalizing" and tally.expired and (batch.finalizing_at or 0) >= batch.expires_at:
        status = "expired"
    return BatchEnd(
        status=status,
        completed=tally.completed,
        failed=tally.failed,
        output_file_id=output,
        error_file_id=error,
        usage=tally.usage,
        nano=tally.nano,
    )
