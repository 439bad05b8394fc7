"""What one attempt streams, on its way into the job's event log: completed and gathered."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from jobs.claims import Claim
from jobs.event_log import appending
from jobs.record import JOB_PREFIX, RESPONSE_PREFIX
from jobs.scripts import Call
from schemas.stream_event import StreamEvents, encode

FULL_BYTES = 64 * 1024
"""So much is written at once."""
MOST_WAITING_BYTES = 256 * 1024
WAIT_SECONDS = 1.0
"""How long the reading of the upstream is held up where more than that waits; then the log of this attempt ends."""
CLOSE_SECONDS = 2.0

log = logging.getLogger(__name__)


class LogWriter:
    """`hurry` asks for what is gathered to be written, at once if it is told so. The pump takes it with `batch`, and
    tells with `settle` what became of it.
    """

    def __init__(self, claim: Claim, *, worker: str, hurry: Callable[[LogWriter, bool], None]) -> None:
        self._claim = claim
        self._worker = worker
        self._hurry = hurry
        self._events = StreamEvents(RESPONSE_PREFIX + claim.number)
        self._waiting: list[tuple[str, bytes]] = []
        self._waiting_bytes = 0
        self._written = 0
        self._sent = 0
        self._closing = self._sent_closing = False
        self._over = False
        self._moved = threading.Condition()

    def take(self, event: Mapping[str, Any]) -> None:
        """Gathers one event of the upstream's. Whatever is odd about it, the call goes on."""
        try:
            whole = None if self._over else self._events.complete(event)
            if whole is not None:
                self._keep(whole["type"], encode(whole))
        except Exception:
            log.exception("%s%s: an event cannot be kept; its log ends", JOB_PREFIX, self._claim.number)
            self._end()

    def _keep(self, kind: str, text: bytes) -> None:
        with self._moved:
            if not self._fits(len(text)) and not self._moved.wait_for(lambda: self._fits(len(text)), WAIT_SECONDS):
                self._end()
            if self._over:
                return
            self._waiting.append((kind, text))
            self._waiting_bytes += len(text)
        self._hurry(self, self._waiting_bytes >= FULL_BYTES)

    def close(self, response: Mapping[str, Any] | None) -> None:
        """No more comes. `response` is what the upstream ended its stream with, None where it did not come to that.

        Returns once all is written, or Redis has taken too long.
        """
        with self._moved:
            self._closing = self._is_whole(response)
            if self._is_done():
                return
        self._hurry(self, True)
        with self._moved:
            self._moved.wait_for(self._is_done, timeout=CLOSE_SECONDS)
            self._end()

    def batch(self) -> Call | None:
        """The call that writes what waits; None where there is nothing to write."""
        with self._moved:
            if self._is_done():
                return None
            self._sent, self._sent_closing = len(self._waiting), self._closing
            return appending(
                self._claim.number,
                worker=self._worker,
                attempt=self._claim.attempt,
                before=self._written,
                events=self._waiting,
                whole=self._closing,
            )

    def settle(self, written: object) -> None:
        """`written` is what the script answered; a refusal, or an error, ends the log of this attempt."""
        with self._moved:
            if not isinstance(written, int) or written < 0 or self._sent_closing:
                self._end()
                return
            self._waiting_bytes -= sum(len(text) for _, text in self._waiting[: self._sent])
            del self._waiting[: self._sent]
            self._written = written
            self._moved.notify_all()

    def _fits(self, size: int) -> bool:
        return self._over or not self._waiting or self._waiting_bytes + size <= MOST_WAITING_BYTES

    def _is_done(self) -> bool:
        return self._over or not (self._waiting or self._closing)

    def _is_whole(self, response: Mapping[str, Any] | None) -> bool:
        """Whether the log tells each item of the response from its beginning to its end."""
        output = (response or {}).get("output") or []
        if response is None or self._over or self._events.lossy or not (self._written or self._waiting):
            return False
        return isinstance(output, list) and self._events.items_done == len(output)

    def _end(self) -> None:
        with self._moved:
            self._over = True
            self._waiting.clear()
            self._waiting_bytes = 0
            self._moved.notify_all()
