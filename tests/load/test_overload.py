"""Five times more submits than can be worked off: what is accepted is accepted as fast as ever, the rest is told when
to come again, nothing grows, and afterwards all is as before.

`make load` runs the long form; RESPOOL_LOAD_SECONDS says for how long, RESPOOL_LOAD_SEED is its seed.
"""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from jobs.projects import Projects
from jobs.record import number_of
from jobs.store import JobStore
from tests.chaos.leaks import leaks, nothing_is_left
from tests.factories import MODEL
from tests.fakes.versions import versions
from tests.fakes.waiting import wait_until
from tests.load.caller import Answer, Caller
from tests.load.stage import Stage, running_stage
from tests.load.vitals import Vitals, growth, share, watched

LONG = os.environ.get("RESPOOL_LOAD") == "long"
SEED = int(os.environ.get("RESPOOL_LOAD_SEED") or "1")
SECONDS = float(os.environ.get("RESPOOL_LOAD_SECONDS") or "600") if LONG else 3.0
CAPACITY = 20
"""Jobs a second, by the lane's limit."""
OVER = 5
MOST_QUEUED = CAPACITY * 5 if LONG else CAPACITY * 2
QUIET_SECONDS = 20.0 if LONG else 1.5
SLOWER = 20.0
"""How many times slower than in a quiet round the slowest hundredth may be, and no faster than FLOOR_SECONDS counts."""
FLOOR_SECONDS = 0.05
TOLERANCES = {"MiB": (0.1, 10.0)}
KEPT_KIB = 10.0
"""What Redis may keep of each job until its retention ends; of one that was refused it keeps nothing."""
LIMITS = f"[default]\nrequests_per_minute = {CAPACITY * 60}\nburst = {CAPACITY}\nin_flight = {CAPACITY * 4}\n"

pytestmark = pytest.mark.timeout(SECONDS + 900)


@dataclass(slots=True)
class Round:
    """Submits and their answers; `broken` are those that got none, `surprises` what nobody should be told."""

    accepted: dict[str, float] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    refusal_seconds: list[float] = field(default_factory=list)
    surprises: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    offered: int = 0

    def keep(self, answer: Answer) -> None:
        if answer.status == 202:
            self.accepted[answer.json()["id"]] = answer.seconds
        elif answer.status in (429, 503) and answer.headers.get("retry-after", "").isdigit():
            self.refused[f"{answer.status} {answer.json()['error']['code']}"] += 1
            self.refusal_seconds.append(answer.seconds)
        else:
            self.surprises[f"{answer.status} {answer.body[:200]!r}"] += 1


async def submit(stage: Stage, *, a_second: float, seconds: float) -> Round:
    """At a steady rate, whatever becomes of those before: each over a free connection, or a new one."""
    found, free, dice = Round(), list[Caller](), random.Random(SEED)
    begun, tasks = time.monotonic(), set[asyncio.Task[None]]()

    async def one() -> None:
        caller = free.pop() if free else Caller(stage.port)
        request = {"model": MODEL, "input": "hello " * dice.randrange(1, 200), "metadata": {"sandbox": "delay=0.2"}}
        try:
            found.keep(await caller.ask("POST", "/v1/jobs", body={"request": request}))
            free.append(caller)
        except (OSError, EOFError) as error:
            found.broken[repr(error)] += 1
            await caller.close()

    for place in range(int(a_second * seconds)):
        await asyncio.sleep(max(0.0, begun + place / a_second - time.monotonic()))
        found.offered += 1
        task = asyncio.create_task(one())
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    for caller in free:
        await caller.close()
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    quiet: Round
    over: Round
    again: Round
    vitals: Vitals


async def overloaded(stage: Stage) -> Seen:
    """A quiet round, the overload, and another quiet one once it is worked off."""
    quiet = await submit(stage, a_second=CAPACITY / 2, seconds=QUIET_SECONDS)
    async with watched(stage, every_seconds=2.0 if LONG else 0.4) as vitals:
        over = await submit(stage, a_second=CAPACITY * OVER, seconds=SECONDS)
    await asyncio.to_thread(lambda: wait_until(lambda: nothing_is_left(stage.client), seconds=120))
    again = await submit(stage, a_second=CAPACITY / 2, seconds=QUIET_SECONDS)
    with suppress(AssertionError):  # what is left shows in the test
        await asyncio.to_thread(lambda: wait_until(lambda: nothing_is_left(stage.client), seconds=60))
    return Seen(quiet=quiet, over=over, again=again, vitals=vitals)


def unended(stage: Stage, *rounds: Round) -> list[str]:
    """Jobs that were accepted and are not there, or did not come to a good end."""
    ids = [id_ for each in rounds for id_ in each.accepted]
    found = JobStore(stage.client, max_queued_bytes=1).get_all([number_of(id_) or "" for id_ in ids])
    return [id_ for id_, job in zip(ids, found, strict=True) if job is None or job.status != "completed"]


def test_what_is_too_much_is_refused_and_what_is_accepted_stays_fast(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with running_stage(tmp_path, limits=LIMITS) as stage:
        Projects(stage.client).change("default", {"max_queued": MOST_QUEUED})
        seen = asyncio.run(overloaded(stage))
        left, lost, complaints = (
            leaks(stage.client),
            unended(stage, seen.quiet, seen.over, seen.again),
            stage.complaints,
        )
        if LONG:
            record_property("load table", table(stage, seen))
    for each in (seen.quiet, seen.over, seen.again):
        assert not each.broken
        assert not each.surprises
        assert len(each.accepted) + each.refused.total() == each.offered
    assert not seen.quiet.refused
    assert not seen.again.refused
    assert seen.over.refused.total() > seen.over.offered / 4
    # In so few seconds one hiccup of a busy machine is all there is to be seen.
    assert not LONG or p99(seen.over) <= SLOWER * max(FLOOR_SECONDS, p99(seen.quiet))
    assert not left
    assert not lost
    assert not complaints
    third, end = seen.vitals.span(0.25, 0.4), seen.vitals.span(0.85, 1.0)
    assert not [grown for grown in growth(third, end, TOLERANCES) if not grown.startswith("redis")]
    assert end["redis data MiB"] - third["redis data MiB"] <= len(seen.over.accepted) * KEPT_KIB / 1024 + 2


def p99(each: Round) -> float:
    return share(list(each.accepted.values()), 0.99)


def table(stage: Stage, seen: Seen) -> str:
    third, end = seen.vitals.span(0.25, 0.4), seen.vitals.span(0.85, 1.0)
    rows: list[tuple[str, object]] = [
        ("load: overload", f"seed {SEED}, {SECONDS:.0f} s of {CAPACITY * OVER} submits/s for {CAPACITY} jobs/s"),
        ("versions", versions(stage.client)),
        ("offered, accepted", f"{seen.over.offered}, {len(seen.over.accepted)}"),
        ("refused", dict(seen.over.refused)),
        ("no answer, surprises", f"{dict(seen.over.broken)}, {dict(seen.over.surprises)}"),
        ("accepted p50, p99", told(list(seen.over.accepted.values()))),
        ("refused p50, p99", told(seen.over.refusal_seconds)),
        ("quiet round before", told(list(seen.quiet.accepted.values()))),
        ("quiet round after", told(list(seen.again.accepted.values()))),
        ("p99 beside the quiet one", f"{p99(seen.over) / p99(seen.quiet):.1f} times"),
        *((name, f"{third[name]:.1f} at a third, {end[name]:.1f} at the end") for name in third if name[-3:] == "MiB"),
    ]  # fmt: skip
    return "\n".join(f"{name:<24} {value}" for name, value in rows)


def told(times: list[float]) -> str:
    return f"{share(times, 0.5) * 1000:.0f} ms, {share(times, 0.99) * 1000:.0f} ms"
