"""The last of a batch: how a cancelled one comes to its end, and what is tidied after any end."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress

from jobs.batches.lines import line_number
from jobs.batches.record import Batch
from jobs.batches.runs import BatchEnd, BatchRuns
from jobs.errors import JobNotFound
from jobs.store import JobStore
from worker.batches.feeding import ROUND_LINES
from worker.batches.finalizing import Finalizing
from worker.batches.winding_down import WindingDown

PAGE = 500
REST_SECONDS = 2.0


class Ending:
    def __init__(self, runs: BatchRuns, store: JobStore, winding: WindingDown, finalizing: Finalizing) -> None:
        self._runs = runs
        self._store = store
        self._winding = winding
        self._finalizing = finalizing

    def of_cancelled(self, batch: Batch) -> Generator[None, None, None]:
        """Ends with the batch at rest, or cancelled; one whose file was never found valid has no files of its own."""
        now = self._runs.hold(batch)
        if batch.in_progress_at is None:
            self._runs.end(batch, BatchEnd(status="cancelled"))
        elif running := self._runs.running(batch):
            yield from self._winding.after_cancel(batch, running, now=now)
            self._runs.rest(batch, seconds=REST_SECONDS)
        else:
            yield from self._finalizing.work(batch)

    def tidying(self, batch: Batch) -> Generator[None, None, None]:
        """Forgets the lines that were not to be stored; what they were answered stands in the batch's files alone. The
        others are kept for as long as was asked."""
        self._runs.hold(batch)
        last = batch.line + ROUND_LINES if batch.line else 0  # some may have been submitted just before a runner died
        for first in range(1, last + 1, PAGE):
            numbers = [line_number(batch.number, line) for line in range(first, min(first + PAGE, last + 1))]
            for number in self._runs.unstored(numbers):
                with suppress(JobNotFound):
                    self._store.discard(number, project=None)
            self._runs.shorten(numbers)
            yield
            self._runs.hold(batch)
        self._runs.close(batch)
