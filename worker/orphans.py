"""Responses that go on upstream for jobs that were cancelled while no worker asked for them."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from jobs.lanes import account_of
from jobs.workers import Orphan
from worker.calls import Call
from worker.endpoints import Endpoints
from worker.errors import CallError

CANCEL_SECONDS = 10.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphanage:
    endpoints: Endpoints

    def end(self, orphan: Orphan) -> None:
        """Cancels the response, if this process knows its account and the endpoint answers; once, and no more."""
        endpoint = self.endpoints.get(account_of(orphan.lane))
        if endpoint is None:
            return
        try:
            answer = endpoint.client.cancel(orphan.upstream_id, call=Call(seconds=CANCEL_SECONDS))
        except CallError as error:
            log.warning("%r: a cancelled job's response may go on: %s", orphan.lane, error)
        else:
            log.info("%r: a cancelled job's response was cancelled (%s)", orphan.lane, answer.http_status)
