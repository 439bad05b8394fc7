"""The processes' log lines on one stream, each with the name of who wrote it."""

from __future__ import annotations

import contextlib
import threading
from typing import IO, TextIO

import click

COLOURS = ("cyan", "yellow", "green", "magenta", "blue", "bright_cyan", "bright_yellow", "bright_green")


class Log:
    """Writes whole lines for many threads; colours only where the stream is a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._width = len("worker.1")
        self._colours: dict[str, str] = {}

    def join(self, name: str) -> None:
        """Makes room and a colour for `name`."""
        self._width = max(self._width, len(name))
        self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])

    def write(self, name: str, line: str) -> None:
        label = f"{name:<{self._width}} |"
        if self._stream.isatty():
            label = click.style(label, fg=self._colours.get(name))
        # Whoever read the stream may be gone; the processes still need their pipes emptied.
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._stream.write(f"{label} {line}\n")
            self._stream.flush()

    def relay(self, name: str, source: IO[bytes]) -> None:
        """Copies lines until `source` ends, in a thread of its own."""
        self.join(name)
        threading.Thread(target=self._copy, args=(name, source), name=f"log of {name}", daemon=True).start()

    def _copy(self, name: str, source: IO[bytes]) -> None:
        with source:
            for line in source:
                self.write(name, line.decode(errors="replace").rstrip("\r\n"))
