"""A batch none of whose lines runs any more: its files are written, and it ends."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Mapping
from contextlib import suppress
from typing import Any

from jobs.batches.input_file import in_pieces
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
PAGE_BYTES = 4 * 1024 * 1024
KEEPING_SECONDS = 120.0
"""In which a disk should have taken all of the files; a batch whose worker dies over it waits for so long."""
PURPOSE = "batch_output"
LINE_ENDS = ("\u0085", "\u2028", "\u2029")
"""Those that JSON lets stand in a string."""


class Finalizing:
    def __init__(self, runs: BatchRuns, source: Input, lines: Lines, files: Files) -> None:
        self._runs = runs
        self._source = source
        self._lines = lines
        self._files = files

    def work(self, batch: Batch) -> Generator[None, None, None]:
        """Ends with the batch ended. Files that another runner wrote before it died are written anew."""
        self._runs.hold(batch)
        tally = Tally()
        with (
            self._files.arriving(batch.project, number=file_number(batch, "output")) as good,
            self._files.arriving(batch.project, number=file_number(batch, "error")) as bad,
        ):
            yield from self._write(batch, tally, good, bad)
            self._runs.hold(batch, seconds=KEEPING_SECONDS)
            self._forget_earlier(batch)
            output = self._keep(batch, good, "output") if tally.completed else None
            error = self._keep(batch, bad, "error") if tally.failed else None
        self._runs.end(batch, _end(batch, tally, output, error))

    def _forget_earlier(self, batch: Batch) -> None:
        """What a runner wrote that died before it told of it."""
        for kind in ("output", "error"):
            with suppress(FileNotFound):
                self._files.delete(FILE_PREFIX + file_number(batch, kind), project=batch.project)

    def _write(self, batch: Batch, tally: Tally, good: Arrival, bad: Arrival) -> Generator[None, None, None]:
        with self._source.lines(batch) as lines:
            for piece in in_pieces(lines, most_lines=PAGE, most_bytes=PAGE_BYTES):
                data = {raw.line: raw.data for raw in piece if raw.data}
                for portion in self._lines.portions(batch.number, list(data)):
                    self._write_portion(batch, tally, {number: data[number] for number in portion}, good, bad)
                    yield
                    self._runs.hold(batch)

    def _write_portion(
        self, batch: Batch, tally: Tally, portion: Mapping[int, bytes], good: Arrival, bad: Arrival
    ) -> None:
        """The lines of the portion, by their numbers."""
        found = self._lines.read(batch.number, list(portion))
        for number, data in portion.items():
            line = found.get(number)
            shown = told_line(batch, number=number, data=data, line=line)
            (good if is_good(shown) else bad).bytes.write(_as_line(shown))
            tally.add(shown, line)

    def _keep(self, batch: Batch, arrival: Arrival, kind: str) -> str:
        new = NewFile(
            project=batch.project,
            purpose=PURPOSE,
            filename=f"{batch.id}_{kind}.jsonl",
            expires_after_seconds=batch.output_expires_after_seconds,
        )
        return self._files.keep(new, arrival).id


def _as_line(shown: Mapping[str, Any]) -> bytes:
    """One line, also for those who take a file apart at whatever Unicode has end a line."""
    text = json.dumps(shown, ensure_ascii=False, separators=(",", ":"))
    for end in LINE_ENDS:
        text = text.replace(end, f"\\u{ord(end):04x}")
    return text.encode() + b"\n"


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
