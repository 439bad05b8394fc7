"""A log record as one line: JSON for machines, text for a terminal."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime

from jobs.log_context import said
from jobs.log_secrets import Hider

ROOMS = ("schemas", "jobs", "worker", "api", "sandbox", "respool")
MOST_CHARACTERS = 4000
MOST_FRAMES = 30


class JsonLines(logging.Formatter):
    """One object a line: time (UTC), level, logger, message, what the line is about, and of an error its traceback."""

    def __init__(self, hider: Hider) -> None:
        super().__init__()
        self._hider = hider

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, str | int] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record, self._hider),
            **{name: self._shown(value) for name, value in said().items()},
            "process": record.process or 0,
        }
        if error := _error(record):
            line |= {"error": type(error).__name__, "traceback": self._hider.hide(trace_of(error))}
        return json.dumps(line)

    def _shown(self, value: str | int) -> str | int:
        return self._hider.hide(value) if isinstance(value, str) else value


class TextLines(logging.Formatter):
    """Time (local), level, logger, message, then what the line is about; a traceback follows on lines of its own."""

    def __init__(self, hider: Hider) -> None:
        super().__init__()
        self._hider = hider

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created).astimezone().isoformat(sep=" ", timespec="milliseconds")
        message = _printable(_message(record, self._hider))
        line = f"{time[:23]} {record.levelname} {record.name}: {message}"
        if facts := " ".join(f"{name}={value}" for name, value in said().items()):
            line += f" [{_printable(self._hider.hide(facts))}]"
        error = _error(record)
        return f"{line}\n{self._hider.hide(trace_of(error))}" if error else line


def _message(record: logging.LogRecord, hider: Hider) -> str:
    try:
        message = record.getMessage()
    except Exception:  # noqa: BLE001 - whatever its arguments do when they are shown
        message = str(record.msg)
    # What is hidden takes time by its length; twice as much may still fill the line.
    return hider.hide(message[: 2 * MOST_CHARACTERS])[:MOST_CHARACTERS]


def _error(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if record.exc_info else None


def _printable(text: str) -> str:
    """In one line, and without what a terminal would obey."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def trace_of(error: BaseException) -> str:
    """The traceback, causes first. Of errors that are not ours the type alone is shown: their texts may hold what a
    caller or an upstream sent.
    """
    return "\n\n".join(_told(found) for found in reversed(list(_chain(error))))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    known: set[int] = set()
    while error is not None and id(error) not in known:
        known.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _told(error: BaseException) -> str:
    frames = "".join(traceback.format_tb(error.__traceback__, limit=-MOST_FRAMES))
    return f"Traceback (most recent call last):\n{frames}{_named(error)}"


def _named(error: BaseException) -> str:
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    if kind.__module__.split(".")[0] in ROOMS and str(error):
        return f"{name}: {_printable(str(error)[:MOST_CHARACTERS])}"
    if isinstance(error, OSError) and error.strerror and kind.__module__ == "builtins":
        return f"{name}: {error.strerror}"
    if isinstance(error, ImportError):
        return f"{name}: {error.name}"
    return name
