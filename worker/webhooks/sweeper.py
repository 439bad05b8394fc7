"""Takes back what dead senders held; every sender sweeps, about one a second does the work."""

from __future__ import annotations

import logging

from jobs.webhooks.senders import Senders
from jobs.workers import SWEEP_SECONDS

log = logging.getLogger(__name__)


class DeliverySweeper:
    def __init__(self, senders: Senders) -> None:
        self._senders = senders

    def step(self) -> float:
        swept = self._senders.sweep()
        if swept is not None and (swept.recovered or swept.unclaimed):
            log.warning("recovered %s deliveries of dead senders, took back %s", swept.recovered, swept.unclaimed)
        return SWEEP_SECONDS
