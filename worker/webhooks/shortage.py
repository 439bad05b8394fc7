"""When this process can open no more files: its own trouble, and no receiver's."""

from __future__ import annotations

import errno
import logging
import os
import resource
import threading
from time import monotonic

WARN_SECONDS = 10.0
LOOK_UP_FILES = 4
"""What looking up a name opens at most at a time."""

log = logging.getLogger(__name__)


def is_shortage(error: OSError) -> bool:
    return error.errno in (errno.EMFILE, errno.ENFILE)


def is_short() -> bool:
    """Whether names cannot be looked up for want of files; the library then says that there are no such names."""
    opened: list[int] = []
    try:
        for _ in range(LOOK_UP_FILES):
            opened.append(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return is_shortage(error)
    finally:
        for file in opened:
            os.close(file)
    return False


class Alarm:
    """Warns of a shortage, at most once in WARN_SECONDS."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._quiet_until = 0.0

    def sound(self) -> None:
        with self._lock:
            now = monotonic()
            if now < self._quiet_until:
                return
            self._quiet_until = now + WARN_SECONDS
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        log.warning(
            "no more files can be opened, of which this process may have %s (ulimit -n): deliveries wait; "
            "raise that, or lower RESPOOL_WEBHOOK_SLOTS",
            limit,
        )
