"""The pipe by which a guard process learns that this one has died, in whatever way."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

GUARD = Path(__file__).with_name("guard.py")

ANNOUNCED = 'echo "+ $0 $$" >&0 && exec "$@" </dev/null'
"""The shell tells its process id before it becomes the program: there is no moment in which nobody knows of it."""


class Lifeline:
    """Keeps one guard process, which ends what was announced as soon as this process is gone.

    The guard inherits the descriptor `lock`, so that the lock is held until the guard's work is done.
    """

    def __init__(self, *, lock: int) -> None:
        self._lock = lock
        self._open()

    def _open(self) -> None:
        reading, self.descriptor = os.pipe()
        try:
            self._guard = subprocess.Popen(  # nosec B603  # our own command, without a shell
                [sys.executable, "-I", "-S", str(GUARD)],
                stdin=reading,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,
                pass_fds=(self._lock,),
            )
        finally:
            os.close(reading)

    @property
    def broken(self) -> bool:
        """Whether the guard itself has died."""
        return self._guard.poll() is not None

    def mend(self, groups: dict[int, int]) -> None:
        """A new guard in place of a dead one, told of the running `groups` and their ranks."""
        os.close(self.descriptor)
        self._open()
        for group, rank in groups.items():
            self._tell(f"+ {rank} {group}\n")

    def forget(self, group: int) -> None:
        """The group has ended; its number may soon belong to a stranger."""
        self._tell(f"- {group}\n")

    def _tell(self, line: str) -> None:
        with contextlib.suppress(BrokenPipeError):
            os.write(self.descriptor, line.encode())

    def close(self) -> None:
        """Lets the guard go; what is still running is ended by it."""
        os.close(self.descriptor)
        self._guard.wait()


def announced(command: tuple[str, ...], *, rank: int) -> list[str]:
    """The command, to be started with the lifeline's descriptor as its standard input."""
    return ["/bin/sh", "-c", ANNOUNCED, str(rank), *command]
