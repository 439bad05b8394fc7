"""What a worker does with batches: it moves them on, if this service keeps files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import redis

from jobs.batches.lines import Lines
from jobs.batches.runs import BatchRuns
from jobs.file_folder import FileFolder
from jobs.files import Files
from jobs.intake import Intake
from jobs.limits import Limits
from jobs.models import accounts_of, models_of
from jobs.settings import Settings
from jobs.store import JobStore
from schemas.request import request_schema
from worker.batches.checking import Checking
from worker.batches.ending import Ending
from worker.batches.feeding import Feeding
from worker.batches.finalizing import Finalizing
from worker.batches.input import Input
from worker.batches.line_intake import LineIntake
from worker.batches.runner import BatchRunner
from worker.batches.winding_down import WindingDown
from worker.loops import Loop

UNBOUNDED = 2**53
"""No result is lost for want of room: what a batch writes counts, but is not refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchWork:
    """`close` is called once the loops have ended."""

    loops: Sequence[Loop] = ()
    close: Callable[[], None] = lambda: None


def open_batch_work(settings: Settings, limits: Limits, client: redis.Redis, *, worker: str) -> BatchWork:
    """None, where no folder of files is set. Raises SettingsError if no model may be named."""
    if settings.files_folder is None:
        return BatchWork()
    files = Files(client, FileFolder(settings.files_folder), most_files=UNBOUNDED)
    runner = open_runner(settings, limits, client, files, worker=worker)
    return BatchWork(loops=(Loop("batches", runner.step),), close=runner.close)


def open_runner(settings: Settings, limits: Limits, client: redis.Redis, files: Files, *, worker: str) -> BatchRunner:
    store = JobStore(client, max_queued_bytes=settings.max_queued_bytes, ageing_seconds=settings.ageing_seconds)
    schema = request_schema(models_of(settings, limits), settings.unknown_fields, accounts=accounts_of(limits))
    runs = BatchRuns(client, store, runner=worker, event_seconds=settings.retention_seconds)
    source = Input(files, most_body_bytes=settings.max_body_bytes)
    winding = WindingDown(runs, store)
    finalizing = Finalizing(runs, source, Lines(client, store), files)
    return BatchRunner(
        runs,
        checking=Checking(runs, source),
        feeding=Feeding(runs, source, LineIntake(schema, Intake(settings, limits, store, files)), winding),
        finalizing=finalizing,
        ending=Ending(runs, store, winding, finalizing),
    )
