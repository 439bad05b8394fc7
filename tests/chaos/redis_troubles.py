"""Redis is away, full, or wrong about the time."""

import random
import resource
import time
from pathlib import Path

import redis

from tests.chaos.stage import Stage
from tests.fakes.waiting import wait_until


def redis_kill(stage: Stage, dice: random.Random) -> None:
    """It is away for up to a second, and reads its file again."""
    stage.redis.kill()
    time.sleep(dice.uniform(0, 1))  # how long it is away is what is drawn
    stage.redis.start()


def no_memory(stage: Stage, dice: random.Random) -> None:
    """Redis answers OOM to whatever needs memory."""
    stage.client.config_set("maxmemory", "1mb")
    time.sleep(dice.uniform(0.5, 2))  # how long it lasts is what is drawn
    stage.client.config_set("maxmemory", "0")


def full_disk(stage: Stage, dice: random.Random) -> None:
    """The append-only file may not grow any more: RLIMIT_FSIZE, which a process may set without being root."""
    assert stage.redis.process is not None
    pid = stage.redis.process.pid
    size = _written_to(stage.redis.folder / "appendonlydir").stat().st_size
    free = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size + dice.randrange(5000), resource.RLIM_INFINITY))
    try:
        wait_until(lambda: not _takes_writes(stage.client))
        time.sleep(dice.uniform(0, 1))  # how long it lasts is what is drawn
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, free)
    wait_until(lambda: _takes_writes(stage.client))


def _written_to(folder: Path) -> Path:
    """The file that grows: the last of the increments, which may be smaller than the base that they add to."""
    return max(folder.glob("*.incr.aof"), key=lambda file: int(file.name.split(".")[-3]))


def _takes_writes(client: redis.Redis) -> bool:
    return client.info("persistence")["aof_last_write_status"] == "ok"


def jumping_clock(stage: Stage, dice: random.Random) -> None:
    """Redis' clock is set forward or back by more than a lease, and then right again. What fell due in a future
    that did not come waits for it."""
    jump = dice.choice([-20, -10, 10, 20])
    for offset in (jump, 0):
        before = stage.now() - time.time()
        stage.clock_file.write_text(f"{offset:+d}\n")
        wait_until(lambda before=before: abs(stage.now() - time.time() - before) > abs(jump) / 2)
        time.sleep(dice.uniform(0.5, 1.5))  # how long it lasts is what is drawn
