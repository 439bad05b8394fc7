"""All that callers do, for long: nothing grows, and after the retention nothing is left but what stays on purpose.

`make soak` runs the long form, for RESPOOL_SOAK_SECONDS, with the seed of RESPOOL_SOAK_SEED. In the short form the
retention is made to be over.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from jobs import keys
from tests.chaos.leaks import leaks, nothing_is_left, nothing_is_owed, owed
from tests.fakes.receiver import running_receiver
from tests.fakes.versions import versions
from tests.fakes.waiting import wait_until
from tests.load.lasting import STAYS, kept_keys, kind_of, leftovers
from tests.load.mixture import Mixture
from tests.load.stage import Stage, running_stage
from tests.load.vitals import Vitals, growth, watched

LONG = os.environ.get("RESPOOL_SOAK") == "long"
SEED = int(os.environ.get("RESPOOL_SOAK_SEED") or "1")
SECONDS = float(os.environ.get("RESPOOL_SOAK_SECONDS") or "240") if LONG else 6.0
A_SECOND = 6.0
RETENTION_SECONDS = 60
"""The shortest that there is."""
STEADY = max(0.25, min(0.6, (RETENTION_SECONDS + 10) / SECONDS)) if LONG else 0.25
"""The share of the run after which as much goes as comes: the second quarter begins then."""
TOLERANCES = {
    "MiB": (0.05, 4.0) if LONG else (0.15, 16.0),
    "files": (0.05, 20.0) if LONG else (0.5, 60.0),
    "threads": (0.0, 4.0) if LONG else (0.0, 20.0),
    "keys": (0.1, 50.0) if LONG else (0.0, 2000.0),
}
"""A share and so much more. The short form sees the beginning, in which there is nothing yet to be steady."""

pytestmark = pytest.mark.timeout(SECONDS + 600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    mixture: Mixture
    vitals: Vitals
    before: frozenset[bytes]
    left: list[str]
    held: list[str]
    kept: Counter[str]


async def soaked(stage: Stage, receiver: str) -> tuple[Mixture, Vitals]:
    mixture = Mixture(stage.port, receiver)
    async with watched(stage, every_seconds=max(0.5, SECONDS / 120)) as vitals:
        await mixture.go_on(a_second=A_SECOND, seconds=SECONDS, seed=SEED)
    return mixture, vitals


def soak(stage: Stage, receiver: str) -> Seen:
    before = frozenset(stage.client.scan_iter(count=1000))
    mixture, vitals = asyncio.run(soaked(stage, receiver))
    wait_until(lambda: nothing_is_left(stage.client) and nothing_is_owed(stage.client), seconds=120)
    if not LONG:
        let_the_retention_be_over(stage.client)
    going = 5.0 if LONG else RETENTION_SECONDS
    left = lambda: leftovers(stage.client, before=before, going_seconds=going)  # noqa: E731
    wait_for_none(left, seconds=RETENTION_SECONDS + 60)
    return Seen(
        mixture=mixture,
        vitals=vitals,
        before=before,
        left=left(),
        held=leaks(stage.client) + owed(stage.client),
        kept=Counter(kind_of(key) for key in kept_keys(stage.client)),
    )


def wait_for_none(found: Callable[[], list[str]], *, seconds: float) -> None:
    """What is still there then shows in the test."""
    try:
        wait_until(lambda: not found(), seconds=seconds)
    except AssertionError:
        return


def let_the_retention_be_over(client: redis.Redis) -> None:
    for entry in client.zrange(f"{keys.PREFIX}ended", 0, -1):
        client.zadd(f"{keys.PREFIX}ended", {entry: 1}, xx=True)


def test_nothing_grows_and_nothing_is_left(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    settings = {"retention_seconds": str(RETENTION_SECONDS)}
    with running_receiver() as receiver, running_stage(tmp_path, **settings) as stage:
        seen = soak(stage, receiver.url)
        if LONG:
            record_property("load table", table(stage, seen))
        complaints = stage.complaints
        files = [path for path in (tmp_path / "files").rglob("*") if path.is_file()]
    assert not seen.mixture.surprises
    assert seen.mixture.done.total() == int(A_SECOND * SECONDS)
    assert len(receiver.requests) == seen.mixture.done["with a webhook"]
    assert not seen.left
    assert not seen.held
    assert not files
    assert not complaints
    assert not growth(seen.vitals.span(STEADY, max(0.5, STEADY + 0.1)), seen.vitals.span(0.75, 1.0), TOLERANCES)


def table(stage: Stage, seen: Seen) -> str:
    second, last = seen.vitals.span(STEADY, max(0.5, STEADY + 0.1)), seen.vitals.span(0.75, 1.0)
    rows: list[tuple[str, object]] = [
        ("soak", f"seed {SEED}, {SECONDS:.0f} s, {A_SECOND:g} pieces/s, retention {RETENTION_SECONDS} s"),
        ("versions", versions(stage.client)),
        ("done", dict(seen.mixture.done)),
        ("put off, surprises", f"{dict(seen.mixture.put_off)}, {dict(seen.mixture.surprises)}"),
        *((name, f"{second[name]:.1f} in the 2nd quarter, {last[name]:.1f} in the last") for name in second),
        ("left", dict(Counter(kind_of(key.encode()) for key in seen.left))),
        *((f"stays: {kind}", f"{count}: {STAYS[kind]}") for kind, count in sorted(seen.kept.items())),
    ]
    return "\n".join(f"{name:<26} {value}" for name, value in rows)
