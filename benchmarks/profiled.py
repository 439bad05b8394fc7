"""Where a process spends its time, by py-spy: collapsed stacks, and what is on top of them most often."""

from __future__ import annotations

import collections
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.peer import ENVIRONMENTS
from benchmarks.rounds import tell

PROGRAM = ENVIRONMENTS / "profiler" / "bin" / "py-spy"
HERTZ = 200
MOST = 40
WAITING = ("acquire_with_timeout (gevent/_threading.py)", "Hub.run (gevent/hub.py)")
"""Where threads wait for something to do, which py-spy cannot tell from work."""


@contextmanager
def profiled(pid: int, into: Path) -> Iterator[None]:
    """Writes `into` (collapsed stacks, for any flame graph) and beside it a summary, for as long as the block lasts."""
    if not PROGRAM.exists():
        tell(f"no profile: {PROGRAM} is not there; `make peers` makes it")
        yield
        return
    into.parent.mkdir(parents=True, exist_ok=True)
    command = [str(PROGRAM), "record", "--pid", str(pid), "--rate", str(HERTZ), "--duration", "3600"]
    command += ["--format", "raw", "--full-filenames", "--output", str(into)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as recorder:
        try:
            yield
        finally:
            recorder.send_signal(signal.SIGINT)  # it writes what it has
            recorder.wait(timeout=60)
    if into.exists():
        into.with_suffix(".txt").write_text(summary(into.read_text()))


def summary(stacks: str) -> str:
    """The functions in which the process was most often, by themselves and with what they call."""
    own: collections.Counter[str] = collections.Counter()
    whole: collections.Counter[str] = collections.Counter()
    for line in stacks.splitlines():
        stack, _, count = line.rpartition(" ")
        frames = [_function(frame) for frame in stack.split(";")]
        if frames[-1] in WAITING:
            continue
        own[frames[-1]] += int(count)
        for frame in set(frames):
            whole[frame] += int(count)
    total = sum(own.values()) or 1
    lines = [f"{total} samples"]
    for title, counts in (("by itself", own), ("with what it calls", whole)):
        lines += ["", title, *(f"{100 * n / total:5.1f} %  {name}" for name, n in counts.most_common(MOST))]
    return "\n".join(lines) + "\n"


def _function(frame: str) -> str:
    """A frame without its line and without where packages lie."""
    name, _, place = frame.partition(" (")
    file = place.rpartition(":")[0] if ":" in place else place.rstrip(")")
    for root in ("/site-packages/", "/lib/python3.11/"):
        file = file.rpartition(root)[2]
    return f"{name} ({file})" if file else name
