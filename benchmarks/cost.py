"""What processes and Redis took: CPU, memory, commands."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import redis

TICKS = os.sysconf("SC_CLK_TCK")
KIB = 1024
SENT = ("evalsha", "eval", "brpop", "ping", "scan", "hget", "hmget", "publish", "subscribe", "hello")
"""What clients of ours send; most of what the scripts do with it goes by other names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was taken so far. `commands` counts those inside of scripts too, `trips` reads from a client's socket."""

    worker_cpu_seconds: float
    redis_cpu_seconds: float
    commands: int
    trips: int
    scripts: int

    def since(self, earlier: Reading) -> Reading:
        return Reading(
            worker_cpu_seconds=self.worker_cpu_seconds - earlier.worker_cpu_seconds,
            redis_cpu_seconds=self.redis_cpu_seconds - earlier.redis_cpu_seconds,
            commands=self.commands - earlier.commands,
            trips=self.trips - earlier.trips,
            scripts=self.scripts - earlier.scripts,
        )


def read(client: redis.Redis, *pids: int) -> Reading:
    """Of the processes, with all that they started, and of the server."""
    info: Any = client.info()
    stats: Any = client.info("commandstats")
    return Reading(
        worker_cpu_seconds=sum(cpu_seconds(pid) for pid in pids),
        redis_cpu_seconds=info["used_cpu_user"] + info["used_cpu_sys"],
        commands=info["total_commands_processed"],
        trips=info.get("total_reads_processed", 0),
        scripts=sum(stats.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("evalsha", "eval")),
    )


def cpu_seconds(pid: int) -> float:
    """Seconds of CPU that the process and its children took, those that have ended included."""
    return sum(_own_cpu_seconds(each) for each in family(pid))


def memory_bytes(pid: int) -> int:
    """What the process and its children hold; pages that they share count once for each."""
    return sum(own_memory_bytes(each) for each in family(pid))


def family(pid: int) -> list[int]:
    with suppress(psutil.NoSuchProcess):
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    return []


def _own_cpu_seconds(pid: int) -> float:
    with suppress(OSError):
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(word) for word in words[11:15]) / TICKS
    return 0.0


def own_memory_bytes(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * KIB
    return 0
