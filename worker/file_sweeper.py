"""Removes files that nobody is to have any more; every worker sweeps, one a minute does the work."""

from __future__ import annotations

import logging

from jobs.file_sweep import SWEEP_SECONDS, FileSweep

log = logging.getLogger(__name__)


class FileSweeper:
    def __init__(self, sweep: FileSweep) -> None:
        self._sweep = sweep

    def step(self) -> float:
        removed = self._sweep.sweep()
        if removed:
            log.info("removed %s files that had expired or were nobody's", removed)
        return SWEEP_SECONDS
