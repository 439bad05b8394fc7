"""What a gunicorn process of the API does besides serving: it lets go of streams and waits when it stops, and is quiet
about clients that were cut off.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

LOOK_SECONDS = 0.25
EXTENSION = "respool"


def leave_in_time(worker: Any) -> None:
    """Has the streams and waits of gunicorn's `worker` end as soon as it is to stop: it would wait for them."""

    def watch() -> None:
        pause = threading.Event()
        while worker.alive:
            pause.wait(LOOK_SECONDS)
        worker.wsgi.extensions[EXTENSION].followers.close()
        worker.wsgi.extensions[EXTENSION].endings.close()
        worker.wsgi.extensions[EXTENSION].happenings.close()

    threading.Thread(target=watch, name="leaving", daemon=True).start()


class OneLine(logging.Filter):
    """Tells of a client that took nothing for too long in one line: gunicorn takes it for a fault of ours."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, TimeoutError):
            record.msg, record.args = "A client that did not take its answer in time was cut off.", ()
            record.exc_info, record.levelno, record.levelname = None, logging.INFO, "INFO"
        return True
