"""A loop on a thread that outlives the absence of Redis and ends when it is told to."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from jobs.errors import StoreUnavailable

log = logging.getLogger(__name__)


class Loop:
    """Calls `step` again and again; `step` answers the seconds to wait until the next time."""

    def __init__(self, name: str, step: Callable[[], float], *, pause_seconds: float = 1.0) -> None:
        self._step = step
        self._pause_seconds = pause_seconds
        self._nudge = threading.Event()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def nudge(self) -> None:
        """Ends the present wait."""
        self._nudge.set()

    def stop(self) -> None:
        self._ending = True
        self.nudge()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._ending:
            seconds = self._guarded()
            self._nudge.wait(seconds)
            self._nudge.clear()

    def _guarded(self) -> float:
        try:
            return self._step()
        except StoreUnavailable as error:
            log.warning("%s: %s", self._thread.name, error)
        except Exception:
            # A loop that ended here would take the process's lease, and with it all jobs that it runs.
            log.exception("%s failed; going on", self._thread.name)
        return self._pause_seconds
