"""Ends the processes of a service whose `up` has died without ending them itself.

Run as a program of its own with the standard library alone. Standard input is the end of a pipe that only the
living `up` keeps open. Lines: `+ RANK GROUP` for a process group that was started, `- GROUP` for one that ended.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable, Mapping

LAST_RANK = 3
"""The Redis-protocol server: it goes after all who write to it."""

GRACE_SECONDS = 2.0
SERVER_GRACE_SECONDS = 5.0
LOOK_SECONDS = 0.02


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups = follow(sys.stdin.buffer)
    end([group for group, rank in groups.items() if rank < LAST_RANK], grace_seconds=GRACE_SECONDS)
    end([group for group, rank in groups.items() if rank >= LAST_RANK], grace_seconds=SERVER_GRACE_SECONDS)


def follow(lines: Iterable[bytes]) -> Mapping[int, int]:
    """The groups that are left when the pipe closes, each with its rank."""
    groups: dict[int, int] = {}
    for line in lines:
        match line.split():
            case [b"+", rank, group]:
                groups[int(group)] = int(rank)
            case [b"-", group]:
                groups.pop(int(group), None)
    return groups


def end(groups: list[int], *, grace_seconds: float) -> None:
    """SIGTERM to all of them, and SIGKILL to those that are left when the grace is over."""
    deadline = time.monotonic() + grace_seconds
    left = [group for group in groups if send(group, signal.SIGTERM)]
    while left and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
        left = [group for group in left if send(group, 0)]
    for group in left:
        send(group, signal.SIGKILL)


def send(group: int, number: int) -> bool:
    """Whether the group still had a process to send the signal to."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        # macOS answers so for a group of nothing but zombies.
        return False
    return True


if __name__ == "__main__":
    main()
