"""A batch that is `in_progress`: its lines become jobs, a bounded number at a time, until its window ends."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from jobs.batches.input_file import RawLine
from jobs.batches.record import Batch
from jobs.batches.runs import BatchRuns, Progress
from jobs.errors import OverLimit, QueueFull
from jobs.new_job import NewJob
from worker.batches.input import Input
from worker.batches.line_intake import LineIntake, Refused, too_much
from worker.batches.winding_down import WindingDown

MOST_RUNNING = 1000
"""Lines of a batch that have not ended."""

ROUND_LINES = 50
ROUND_BYTES = 4 * 1024 * 1024
REST_SECONDS = 1.0
FULL_SECONDS = 5.0
MOST_REST_SECONDS = 60.0
"""Also of a batch whose last lines run: the end of the last of them has it looked at."""

Taken: TypeAlias = "tuple[RawLine, NewJob | Refused | None]"
"""A line and what is to become of it; None of one in which nothing stands."""


@dataclass(slots=True, kw_only=True)
class _Round:
    """Lines that are taken up together, `jobs` of them as such: what became of each, and what one must wait for."""

    progress: Progress
    jobs: int
    refusals: dict[int, dict[str, Any]] = field(default_factory=dict)
    stopped: QueueFull | OverLimit | None = None


class Feeding:
    def __init__(self, runs: BatchRuns, source: Input, intake: LineIntake, winding: WindingDown) -> None:
        self._runs = runs
        self._source = source
        self._intake = intake
        self._winding = winding

    def work(self, batch: Batch) -> Generator[None, None, None]:
        """Ends with the batch at rest, or finalizing."""
        now = self._runs.hold(batch)
        if now >= batch.expires_at:
            yield from self._expire(batch, self._runs.running(batch), now)
        elif batch.offset < self._source.bytes(batch):
            yield from self._feed(batch, room=MOST_RUNNING - self._runs.count_running(batch), now=now)
        elif self._runs.running(batch):
            self._runs.rest(batch, seconds=min(MOST_REST_SECONDS, batch.expires_at - now))
        else:
            self._runs.finalize(batch)

    def _expire(self, batch: Batch, running: dict[str, str], now: float) -> Generator[None, None, None]:
        """No more lines; what waits ends by its own deadline or here, what runs goes on to its end."""
        if not running:
            self._runs.finalize(batch)
            return
        yield from self._winding.after_window(batch, running, now=now)
        self._runs.rest(batch, seconds=REST_SECONDS)

    def _feed(self, batch: Batch, *, room: int, now: float) -> Generator[None, None, None]:
        progress = Progress(line=batch.line, offset=batch.offset, requests=batch.lines_read)
        with self._source.lines(batch, line=batch.line, offset=batch.offset) as lines:
            most = 1 if batch.waiting_reason else ROUND_LINES  # whether it still waits, one line can tell
            while room > 0 and now < batch.expires_at:
                taken = self._taken(batch, lines, most=min(room, most), now=now)
                if not taken:
                    break
                done = self._take_up(taken, progress)
                self._runs.advance(batch, done.progress, done.refusals)
                if done.stopped is not None:
                    self._runs.rest(batch, seconds=_seconds(done.stopped), reason=_reason(done.stopped))
                    return
                room, progress, most = room - done.jobs, done.progress, ROUND_LINES
                yield
                now = self._runs.hold(batch)
        self._runs.rest(batch, seconds=REST_SECONDS)

    def _taken(self, batch: Batch, lines: Iterator[RawLine], *, most: int, now: float) -> list[Taken]:
        """The next lines, within what may be held of their requests at a time."""
        taken: list[Taken] = []
        held = 0
        while len(taken) < most and held < ROUND_BYTES and (raw := next(lines, None)) is not None:
            what = self._intake.taken(batch, raw, now=now) if raw.data else None
            held += what.queued_bytes if isinstance(what, NewJob) else len(raw.data or b"")
            taken.append((raw, what))
        return taken

    def _take_up(self, taken: Sequence[Taken], before: Progress) -> _Round:
        jobs = [job for _, job in taken if isinstance(job, NewJob)]
        verdicts = iter(self._runs.submit(jobs))
        done = _Round(progress=before, jobs=len(jobs))
        for raw, what in taken:
            if isinstance(what, NewJob):
                verdict = next(verdicts)
                if isinstance(verdict, OverLimit) and verdict.retry_after_seconds is None:
                    what = too_much(what, verdict)
                elif verdict is not None:
                    done.stopped = verdict
                    break
            if isinstance(what, Refused):
                done.refusals[raw.line] = what.as_record()
            done.progress = Progress(
                line=raw.line, offset=raw.end, requests=done.progress.requests + (what is not None)
            )
        return done


def _seconds(stopped: QueueFull | OverLimit) -> float:
    if isinstance(stopped, OverLimit) and stopped.retry_after_seconds is not None:
        return min(MOST_REST_SECONDS, max(REST_SECONDS, stopped.retry_after_seconds))
    return FULL_SECONDS


def _reason(stopped: QueueFull | OverLimit) -> str:
    return stopped.limit if isinstance(stopped, OverLimit) else "queue_full"
