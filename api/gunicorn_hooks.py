"""What a gunicorn process of the API does besides serving: it wants a Redis that keeps jobs, lets go of streams and
waits when it stops, tells the store what it counted, and its lines are as all others.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
from typing import Any

from gunicorn.glogging import Logger

from jobs import logs
from jobs.errors import StoreUnavailable

log = logging.getLogger(__name__)
LOOK_SECONDS = 0.25
FLUSH_SECONDS = 1.0
EXTENSION = "respool"
BOOT_ERROR = 3
"""A process that ends so takes gunicorn with it, as one does that cannot load the application."""
INVALID = "Invalid request from ip="


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


def refuse_unsafe(worker: Any) -> None:
    """Ends gunicorn where Redis is no place for jobs: at once, or when one that is away now has come back."""
    safety = worker.wsgi.extensions[EXTENSION].safety
    if (why := safety.refusal()) is not None:
        log.critical("%s", why)
        raise SystemExit(BOOT_ERROR)

    def watch() -> None:
        pause = threading.Event()
        while worker.alive and not safety.answered:
            pause.wait(LOOK_SECONDS)
            if (why := safety.refusal()) is not None:
                log.critical("%s", why)
                os.kill(os.getppid(), signal.SIGTERM)

    if not safety.answered:
        threading.Thread(target=watch, name="safety", daemon=True).start()


def keep_counts(worker: Any) -> None:
    """Has the store know what gunicorn's `worker` counted of its requests, about once a second."""

    def keep() -> None:
        pause = threading.Event()
        while worker.alive:
            pause.wait(FLUSH_SECONDS)
            try:
                flush_counts(worker)
            except Exception:
                # Were this thread to end, no request of this process would be counted again.
                log.exception("requests could not be counted; going on")

    threading.Thread(target=keep, name="counts", daemon=True).start()


def flush_counts(worker: Any) -> None:
    """Without Redis, the process keeps what it counted."""
    app = getattr(worker, "wsgi", None)  # None: it never came to serve
    if app is not None:
        with contextlib.suppress(StoreUnavailable):
            app.extensions[EXTENSION].request_counts.flush()


class Lines(Logger):  # type: ignore[misc]  # gunicorn is untyped
    """gunicorn's own lines and, where somebody asks for them, those of accesses.

    Nothing is imported for it that speaks TLS: gevent has yet to patch that, in each process.
    """

    def _set_handler(self, log: logging.Logger, output: str, fmt: logging.Formatter, stream: Any = None) -> None:
        super()._set_handler(log, output, logs.lines(os.environ.get("RESPOOL_LOG_FORMAT", "")), stream)


class OneLine(logging.Filter):
    """Tells of a client that took nothing for too long in one line: gunicorn takes it for a fault of ours.

    Of what is no HTTP it would tell the very text, which may hold a key.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, TimeoutError):
            record.msg, record.args = "A client that did not take its answer in time was cut off.", ()
            record.exc_info, record.levelno, record.levelname = None, logging.INFO, "INFO"
        if str(record.msg).startswith(INVALID):
            record.msg, record.args = str(record.msg).partition(": ")[0], ()
        return True
