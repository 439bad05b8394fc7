"""How many files a process may have open; every connection is one."""

from __future__ import annotations

import contextlib
import resource

MOST_OPEN_FILES = 65536


def allow_open_files() -> None:
    """Lets this process and those it starts open as many files as they may; every call in flight is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_OPEN_FILES)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    # macOS has a bound of its own beneath the one that it tells.
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
