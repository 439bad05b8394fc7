"""The one thread of a process that writes event logs: what many attempts gather meanwhile shares a round trip."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import redis

from jobs import scripts
from jobs.claims import Claim
from jobs.errors import StoreUnavailable
from worker.log_writer import LogWriter

GATHER_SECONDS = 0.015
GATHER_SECONDS_A_LOG = 0.001
"""More, for each log that was written last: the more there is to do, the more is done at once."""
MOST_GATHER_SECONDS = 0.1
PAUSE_SECONDS = 1.0
TOGETHER = 64
"""So many logs are written in one round trip, each up to some hundred KiB."""

log = logging.getLogger(__name__)


class LogPump:
    """Begins with the first event that is to be written. While Redis is away, it tries again."""

    def __init__(self, client: redis.Redis, *, worker: str) -> None:
        self._client = client
        self._worker = worker
        self._due: dict[LogWriter, None] = {}
        self._lock = threading.Lock()
        self._called = threading.Event()
        self._hurried = threading.Event()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._wrote = 0

    def writer(self, claim: Claim) -> LogWriter:
        """What the attempt writes its log with."""
        return LogWriter(claim, worker=self._worker, hurry=self._call)

    def close(self) -> None:
        """Writes once what waits."""
        self._closing = True
        self._called.set()
        self._hurried.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _call(self, writer: LogWriter, at_once: bool) -> None:
        with self._lock:
            self._due[writer] = None
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="log pump", daemon=True)
                self._thread.start()
        self._called.set()
        if at_once:
            self._hurried.set()

    def _loop(self) -> None:
        while not self._closing:
            self._called.wait()
            self._hurried.wait(min(MOST_GATHER_SECONDS, GATHER_SECONDS + GATHER_SECONDS_A_LOG * self._wrote))
            self._called.clear()
            self._hurried.clear()
            try:
                self._write()
            except Exception:
                # Were this thread to end, no event of this process would be written again.
                log.exception("event logs could not be written; going on")

    def _write(self) -> None:
        with self._lock:
            writers, self._due = list(self._due), {}
        self._wrote = len(writers)
        for group in _groups(writers):
            found = [(writer, call) for writer in group if (call := writer.batch()) is not None]
            try:
                answers = scripts.run_all(self._client, [call for _, call in found]) if found else []
            except StoreUnavailable as error:
                log.warning("event logs: %s", error)
                self._later([writer for writer, _ in found])
                continue
            for (writer, _), answer in zip(found, answers, strict=True):
                writer.settle(answer)

    def _later(self, writers: list[LogWriter]) -> None:
        with self._lock:
            self._due.update(dict.fromkeys(writers))
        if not self._closing:
            self._hurried.wait(PAUSE_SECONDS)
        self._called.set()


def _groups(writers: list[LogWriter]) -> Iterator[list[LogWriter]]:
    for start in range(0, len(writers), TOGETHER):
        yield writers[start : start + TOGETHER]
