"""Ten thousand who poll, wait and follow streams at once are all told, and nobody is turned away.

`make load` runs the long form; RESPOOL_LOAD_READERS says how many.
"""

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from jobs.store import JobStore
from tests.fakes.versions import versions
from tests.load.readers import Crowd
from tests.load.stage import Stage, running_stage
from tests.load.vitals import share, take

LONG = os.environ.get("RESPOOL_LOAD") == "long"
READERS = int(os.environ.get("RESPOOL_LOAD_READERS") or "10000") if LONG else 200
JOBS = 40 if LONG else 10
QUIET_READERS = 40

pytestmark = pytest.mark.timeout(1800)


@dataclass(slots=True, kw_only=True)
class Seen:
    quiet: Crowd
    crowd: Crowd
    seconds: float
    most: int
    before: dict[str, float]
    during: dict[str, float]
    after: dict[str, float]


async def crowded(stage: Stage) -> Seen:
    quiet = Crowd(port=stage.port, poll_seconds=0.5)
    await quiet.submit(4)
    await quiet.come(QUIET_READERS)
    await quiet.end()
    before, begun = take(stage), time.monotonic()
    crowd = Crowd(port=stage.port)
    await crowd.submit(JOBS)
    await crowd.come(READERS)
    seconds = time.monotonic() - begun
    during, most = await asyncio.to_thread(lambda: (take(stage), stage.callers()))
    await crowd.end()
    after = await settled(stage)
    return Seen(quiet=quiet, crowd=crowd, seconds=seconds, most=most, before=before, during=during, after=after)


async def settled(stage: Stage) -> dict[str, float]:
    """Once the connections are let go of again."""
    deadline = time.monotonic() + 60
    while stage.callers() and time.monotonic() < deadline:
        await asyncio.sleep(0.2)
    return take(stage)


def lags(stage: Stage, crowd: Crowd, *kinds: str) -> list[float]:
    """How long after the end of the job each of these heard of it, in seconds."""
    found = JobStore(stage.client, max_queued_bytes=1).get_all([job[4:] for job in crowd.jobs])
    ends = {job.id: job.finished_at or 0.0 for job in found if job is not None}
    return [told.at - ends[told.job] for told in crowd.told if told.kind in kinds]


def test_all_of_very_many_readers_are_told(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    with running_stage(tmp_path) as stage:
        seen = asyncio.run(crowded(stage))
        if LONG:
            record_property("load table", table(stage, seen))
        complaints, left = stage.complaints, stage.callers()
    assert not seen.crowd.surprises
    assert len(seen.crowd.told) == READERS
    assert not seen.crowd.disagreements()
    assert seen.most == READERS
    assert left == 0
    assert not complaints


def table(stage: Stage, seen: Seen) -> str:
    streams, waits = lags(stage, seen.crowd, "stream"), lags(stage, seen.crowd, "wait")
    grown = (seen.during["api MiB"] - seen.before["api MiB"]) * 1024 / READERS
    rows: list[tuple[str, object]] = [
        ("load: readers", f"{READERS} of {JOBS} jobs, come within {seen.seconds:.0f} s"),
        ("versions", versions(stage.client)),
        ("told, surprises", f"{len(seen.crowd.told)}, {dict(seen.crowd.surprises)}"),
        ("served at once", seen.most),
        ("connections to Redis", f"{seen.before['to Redis']:.0f}, {seen.after['to Redis']:.0f} after"),
        ("polls p50, p99, n", figures(seen.crowd.polls)),
        ("polls of a quiet round", figures(seen.quiet.polls)),
        ("stream heard of the end", figures(streams)),
        ("wait heard of the end", figures(waits)),
        ("of a quiet round", figures(lags(stage, seen.quiet, "stream", "wait"))),
        *((f"{part} MiB", f"{seen.before[f'{part} MiB']:.0f}, {seen.during[f'{part} MiB']:.0f} with all, "
           f"{seen.after[f'{part} MiB']:.0f} after") for part in ("api", "worker", "redis")),
        ("API memory a reader", f"{grown:.0f} KiB"),
    ]  # fmt: skip
    return "\n".join(f"{name:<24} {value}" for name, value in rows)


def figures(times: list[float]) -> str:
    return f"{share(times, 0.5) * 1000:.0f} ms, {share(times, 0.99) * 1000:.0f} ms, {len(times)}"
