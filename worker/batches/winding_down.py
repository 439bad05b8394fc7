"""Lines of a batch that must come to an end: its window is over, or it was cancelled."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import suppress

from jobs.batches.record import Batch
from jobs.batches.runs import BatchRuns
from jobs.errors import JobNotFound
from jobs.store import JobStore

DEADLINE_SECONDS = 5.0
"""Within which a sweep ends what has reached its own deadline."""

CANCELLING_SECONDS = 600.0
"""For so long may the lines of a cancelled batch that run go on."""

PIECE = 25


class WindingDown:
    def __init__(self, runs: BatchRuns, store: JobStore) -> None:
        self._runs = runs
        self._store = store

    def after_window(self, batch: Batch, running: dict[str, str], *, now: float) -> Generator[None, None, None]:
        """Cancels what waits still; what is tried again after its first attempt has no deadline of its own."""
        if now >= batch.expires_at + DEADLINE_SECONDS:
            yield from self._cancel(batch, _waiting(running))

    def after_cancel(self, batch: Batch, running: dict[str, str], *, now: float) -> Generator[None, None, None]:
        """Cancels what waits, and after a while what runs."""
        late = now >= (batch.cancelling_at or now) + CANCELLING_SECONDS
        yield from self._cancel(batch, running if late else _waiting(running))

    def _cancel(self, batch: Batch, numbers: Iterable[str]) -> Generator[None, None, None]:
        for place, number in enumerate(numbers, start=1):
            with suppress(JobNotFound):
                self._store.cancel(number, project=None)
            if place % PIECE == 0:
                yield
                self._runs.hold(batch)


def _waiting(running: dict[str, str]) -> list[str]:
    return [number for number, status in running.items() if status == "queued"]
