"""What the shell sees when a command has ended."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum


class Exit(IntEnum):
    DONE = 0
    FAILED = 1
    WRONG_USAGE = 2
    NO_SERVICE = 3
    INTERRUPTED = 130
    PIPE_CLOSED = 141


MEANING: Mapping[Exit, str] = {
    Exit.DONE: "done; what was watched ended well",
    Exit.FAILED: "a job or batch ended badly, the service refused, output cannot be written, or `doctor` found a fault",
    Exit.WRONG_USAGE: "wrong usage, or a wrong setting",
    Exit.NO_SERVICE: "nothing answers where the service should be",
    Exit.INTERRUPTED: "Ctrl-C",
    Exit.PIPE_CLOSED: "whoever read the output has gone",
}
