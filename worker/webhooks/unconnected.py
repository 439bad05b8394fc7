"""Why no connection to a receiver came about."""

from __future__ import annotations

from worker.webhooks.results import Error


class Unconnected(Exception):
    """Nothing was sent. Not an OSError, which urllib3 would take for one of its own."""

    def __init__(self, error: Error) -> None:
        super().__init__(error)
        self.error: Error = error
