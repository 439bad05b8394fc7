"""What a worker process costs that has nothing to do."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from tests.fakes.processes import start_worker
from tests.fakes.waiting import wait_until

SETTLE_SECONDS = 5.0
MEASURED_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """`cpu_share` is of one core, over all threads of the process; `commands_per_second` is what Redis counted."""

    cpu_share: float
    commands_per_second: float


def measure_idle_worker(redis_url: str, folder: Path) -> Idle:
    """Starts one worker process on the store, lets it settle, and watches it for half a minute."""
    worker = start_worker(folder, {"RESPOOL_REDIS_URL": redis_url, "RESPOOL_UPSTREAM_API_KEY": "any"}, name="idle")
    try:
        with redis.Redis.from_url(redis_url) as client:
            wait_until(lambda: client.zcard("{respool}:workers") == 1, seconds=60)
            time.sleep(SETTLE_SECONDS)
            cpu, commands, started = cpu_seconds(worker.process.pid), _commands(client), time.monotonic()
            time.sleep(MEASURED_SECONDS)
            passed = time.monotonic() - started
            return Idle(
                cpu_share=(cpu_seconds(worker.process.pid) - cpu) / passed,
                commands_per_second=(_commands(client) - commands) / passed,
            )
    finally:
        worker.kill()


def cpu_seconds(pid: int) -> float:
    """Seconds of CPU that the process took so far."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _commands(client: redis.Redis) -> int:
    """Round trips so far: the commands that no script uses, so that each came from a client."""
    stats: Any = client.info("commandstats")
    return sum(
        int(stats.get(f"cmdstat_{name}", {"calls": 0})["calls"]) for name in ("evalsha", "brpop", "scan", "ping")
    )
