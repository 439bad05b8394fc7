"""Puts right what time shows to be wrong; every worker sweeps, about one a second does the work."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from jobs.workers import SWEEP_SECONDS, Workers

SCAN_SWEEPS = 5
"""The slow scan goes a page on with every fifth sweep."""

log = logging.getLogger(__name__)


class Sweeper:
    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._sweeps = 0
        self._upgraded = False
        self._scan: Iterator[int] = iter(())

    def step(self) -> float:
        if not self._upgraded:
            self._upgrade()
        swept = self._workers.sweep()
        if swept is None:
            return SWEEP_SECONDS
        if swept.recovered or swept.unclaimed:
            log.warning("recovered %s jobs of dead workers, took back %s", swept.recovered, swept.unclaimed)
        self._sweeps += 1
        if self._sweeps % SCAN_SWEEPS == 0:
            self._scan_on()
        return SWEEP_SECONDS

    def _upgrade(self) -> None:
        adopted = self._workers.upgrade()
        self._upgraded = True
        if adopted:
            log.info("took over %s jobs of an older release", adopted)

    def _scan_on(self) -> None:
        repaired = next(self._scan, None)
        if repaired is None:
            self._scan = self._workers.scan()
        elif repaired:
            log.warning("put %s records back that no index held", repaired)
