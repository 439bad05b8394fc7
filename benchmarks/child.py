"""A process of a benchmark with all that it starts, for as long as a block lasts."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("RESPOOL_", "PYTHONPATH"))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def check(self) -> None:
        """Raises RuntimeError with what it wrote if it has ended."""
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.process.args!r} ended:\n{self.log.read_text()[-4000:]}")


@contextmanager
def running(
    command: Sequence[str], *, folder: Path, name: str, environ: Mapping[str, str], cwd: Path | None = None
) -> Iterator[Child]:
    """It leads a group of its own, so that nothing of it is left. What it writes is kept in `folder`."""
    log = folder / f"{name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, env=CLEAN | environ, stdout=output, stderr=output, cwd=cwd or folder, start_new_session=True
        )
    try:
        yield Child(process=process, log=log)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def output_of(
    command: Sequence[str],
    *,
    environ: Mapping[str, str],
    cwd: Path | None = None,
    stdin: str = "",
    seconds: float = 1200,
) -> str:
    """What a command prints that ends by itself. Raises RuntimeError with its errors if it fails."""
    done = subprocess.run(
        command, env=CLEAN | environ, cwd=cwd, input=stdin, capture_output=True, text=True, timeout=seconds, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command!r} failed:\n{done.stderr[-4000:]}")
    return done.stdout
