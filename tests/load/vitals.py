"""What the processes take: memory, open files, threads, keys; now and again, for as long as something goes on."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from statistics import median

from tests.load.lasting import kept_bytes, kept_keys
from tests.load.stage import Stage

MIB = 2**20
WATCHED = ("api", "worker", "sender")


@dataclass(slots=True)
class Vitals:
    """Samples of figures by name, such as `api MiB`. Keys that stay on purpose, and their bytes, are not among them."""

    samples: list[dict[str, float]] = field(default_factory=list)

    def span(self, first: float, last: float) -> dict[str, float]:
        """The medians from one share of the samples to another."""
        part = self.samples[int(first * len(self.samples)) : max(1, int(last * len(self.samples)))]
        return {name: median(sample[name] for sample in part) for name in part[0]}


def take(stage: Stage) -> dict[str, float]:
    """Connections to Redis, of which a process keeps as many as it ever needed at a time, are not open files here."""
    figures: dict[str, float] = {}
    for part in WATCHED:
        figures[f"{part} MiB"] = sum(process.memory_info().rss for process in stage.parts[part]) / MIB
        figures[f"{part} threads"] = sum(process.num_threads() for process in stage.parts[part])
    figures["to Redis"] = int(stage.client.info("clients")["connected_clients"])
    files = sum(process.num_fds() for part in WATCHED for process in stage.parts[part])
    figures["open files"] = files - figures["to Redis"]
    (redis,) = stage.parts["redis"]
    figures["redis MiB"] = redis.memory_info().rss / MIB
    kept = kept_keys(stage.client)
    used = int(stage.client.info("memory")["used_memory_dataset"])
    figures["redis data MiB"] = (used - kept_bytes(stage.client, kept)) / MIB
    figures["keys"] = stage.client.dbsize() - len(kept)
    figures["keys kept"] = len(kept)
    return figures


@asynccontextmanager
async def watched(stage: Stage, *, every_seconds: float) -> AsyncIterator[Vitals]:
    """Takes them for as long as the block lasts."""
    vitals, over = Vitals(), asyncio.Event()

    async def watch() -> None:
        while not over.is_set():
            begun = time.monotonic()
            vitals.samples.append(await asyncio.to_thread(take, stage))
            left = every_seconds - (time.monotonic() - begun)
            if left > 0:
                await _passed(over, left)

    task = asyncio.create_task(watch())
    try:
        yield vitals
    finally:
        over.set()
        await task


async def _passed(over: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(over.wait(), seconds)
    except TimeoutError:
        return


def growth(before: dict[str, float], after: dict[str, float], tolerances: dict[str, tuple[float, float]]) -> list[str]:
    """What grew beyond its tolerance: by the last word of its name, a share of what it was and so much more."""
    found = []
    for name, was in before.items():
        share, more = tolerances.get(name.rpartition(" ")[2], (float("inf"), 0))
        if after[name] > was * (1 + share) + more:
            found.append(f"{name}: {was:.1f} → {after[name]:.1f}")
    return found


def share(times: Sequence[float], part: float) -> float:
    """What this part of the times did not exceed."""
    return sorted(times)[min(len(times) - 1, int(part * len(times)))]
