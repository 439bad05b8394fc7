"""Where the lines of a process go, in which format, and who may write how much."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from jobs.errors import SettingsError
from jobs.log_lines import ROOMS, JsonLines, TextLines
from jobs.log_secrets import Hider, secrets_of

if TYPE_CHECKING:
    from jobs.settings import Settings

QUIET = {
    "celery.worker.strategy": logging.WARNING,  # these two write a line a message, and say nothing of its work
    "celery.app.trace": logging.WARNING,
    "urllib3": logging.ERROR,  # its lines show whole URLs
    "opentelemetry.exporter": logging.CRITICAL,  # jobs.otel tells, once, that a collector is away
    "opentelemetry.sdk._shared_internal": logging.CRITICAL,
}

NOT_STARTED = 3
"""The exit code of a process that could not start; gunicorn takes it for a reason not to try again."""

log = logging.getLogger(__name__)


@contextmanager
def starting(environ: Mapping[str, str]) -> Iterator[None]:
    """Whatever keeps the process from starting in the block is told in one line, and ends it."""
    _write(lines(environ.get("RESPOOL_LOG_FORMAT", "")), sys.stderr)
    try:
        yield
    except SettingsError as error:
        log.critical("this process cannot start: %s", error)
        raise SystemExit(NOT_STARTED) from None
    except Exception:
        log.critical("this process cannot start", exc_info=True)
        raise SystemExit(NOT_STARTED) from None


def set_up(settings: Settings, *, secrets: Iterable[str] = (), stream: TextIO | None = None) -> None:
    """Has all loggers of the process write to `stream` (standard error unless given), and none of them a secret.

    `secrets` are those that the settings do not hold. What nobody catches, and warnings, become lines too.
    """
    _write(lines(settings.log_format, [*secrets_of(settings), *secrets], stream=stream), stream or sys.stderr)
    logging._srcfile = None  # no line says where it was written, which is slow to find out
    logging.raiseExceptions = False  # a line that cannot be written would be told of with its arguments
    logging.getLogger().setLevel(max(logging.INFO, logging.getLevelName(settings.log_level)))
    set_levels(settings.log_level)
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def _write(formatter: logging.Formatter, stream: TextIO) -> None:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logging.getLogger().handlers[:] = [handler]


def lines(form: str, secrets: Iterable[str] = (), *, stream: TextIO | None = None) -> JsonLines | TextLines:
    """What makes the lines that are written to `stream`. `form` is text, json, or "": text for a terminal alone."""
    chosen = form or ("text" if (stream or sys.stderr).isatty() else "json")
    return JsonLines(Hider(secrets)) if chosen == "json" else TextLines(Hider(secrets))


def share(*names: str) -> None:
    """Has the handlers that these loggers have of their own make lines as all others do."""
    formatter = logging.getLogger().handlers[0].formatter
    for handler in [handler for name in names for handler in logging.getLogger(name).handlers]:
        handler.setFormatter(formatter)


def set_levels(level: str) -> None:
    """`level` is for our own lines; those of libraries never come below INFO, and of some only what matters."""
    for room in ROOMS:
        logging.getLogger(room).setLevel(level)
    for name, least in QUIET.items():
        logging.getLogger(name).setLevel(least)


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        log.critical("nobody caught an error; the process ends", exc_info=(kind, error, trace))


def _uncaught_in_thread(hook: threading.ExceptHookArgs) -> None:
    if hook.exc_value is not None and not isinstance(hook.exc_value, SystemExit):
        name = hook.thread.name if hook.thread else "?"
        log.error("nobody caught an error; thread %s ends", name, exc_info=hook.exc_value)
