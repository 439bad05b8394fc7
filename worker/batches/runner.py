"""Moves batches on, a piece at a time, so that calls of jobs get their turns in between."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import suppress

from jobs.batches.record import Batch
from jobs.batches.runs import BatchEnd, BatchRuns
from jobs.errors import BatchLost, FileNotFound, StoreUnavailable
from worker.batches.checking import Checking
from worker.batches.ending import Ending
from worker.batches.feeding import Feeding
from worker.batches.finalizing import Finalizing

MOST_AT_A_TIME = 8
LOOK_SECONDS = 0.25
TURN_SECONDS = 0.001

Work = Generator[None, None, None]
"""What is done with a batch, a piece at a time."""

log = logging.getLogger(__name__)


class BatchRunner:
    """Every worker has one; a batch that is due goes to whichever looks first."""

    def __init__(
        self, runs: BatchRuns, *, checking: Checking, feeding: Feeding, finalizing: Finalizing, ending: Ending
    ) -> None:
        self._runs = runs
        self._checking = checking
        self._feeding = feeding
        self._finalizing = finalizing
        self._ending = ending
        self._works: dict[str, tuple[Batch, Work]] = {}

    def step(self) -> float:
        if len(self._works) < MOST_AT_A_TIME and (batch := self._runs.take()) is not None:
            self._works[batch.number] = batch, self._work(batch)
        under_way = list(self._works.items())
        for number, (batch, work) in under_way:
            if not self._moved(batch, work):
                del self._works[number]
        return TURN_SECONDS if under_way else LOOK_SECONDS

    def close(self) -> None:
        """Hands back what is under way: another worker goes on with it at once."""
        for batch, work in list(self._works.values()):  # the loop may still be at it
            with suppress(BatchLost, StoreUnavailable, ValueError):  # the last: the loop is still in the midst of it
                work.close()
                self._runs.rest(batch, seconds=0)
        self._works.clear()

    def _work(self, batch: Batch) -> Work:
        match batch.status:
            case "validating":
                return self._checking.work(batch)
            case "in_progress":
                return self._feeding.work(batch)
            case "finalizing":
                return self._finalizing.work(batch)
            case "cancelling":
                return self._ending.of_cancelled(batch)
            case _:
                return self._ending.tidying(batch)

    def _moved(self, batch: Batch, work: Work) -> bool:
        """Whether there is more to do for now."""
        try:
            next(work)
        except StopIteration:
            return False
        except BatchLost:
            return False
        except FileNotFound:
            self._fail(batch)
            return False
        except StoreUnavailable as error:
            log.warning("%s waits: %s", batch.id, error)
            return False
        except Exception:
            log.exception("%s failed for now; it is taken up again", batch.id)
            return False
        return True

    def _fail(self, batch: Batch) -> None:
        log.error("%s: the bytes of its file are lost", batch.id)
        lost = {"code": "file_not_found", "line": None, "message": "the input file is lost", "param": "input_file_id"}
        with suppress(BatchLost, StoreUnavailable):
            self._runs.end(
                batch, BatchEnd(status="failed", errors=[lost], completed=batch.completed, failed=batch.failed)
            )
