"""Everything that can go wrong does, under load: nothing acknowledged is lost, nothing ends twice, nothing leaks.

`make chaos` runs the long form, with the seed of RESPOOL_CHAOS_SEED and the numbers of LONG_ROUNDS, or the
share of them that RESPOOL_CHAOS_SCALE says.
"""

import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.judge import judge
from tests.chaos.nemeses import ALL, LONG_ROUNDS, Nemesis
from tests.chaos.opening import running_stage
from tests.chaos.stage import Stage
from tests.chaos.verdict import Verdict
from tests.chaos.workload import running_workload
from tests.fakes.versions import versions

pytestmark = pytest.mark.chaos

LONG = os.environ.get("RESPOOL_CHAOS") == "long"
SEED = int(os.environ.get("RESPOOL_CHAOS_SEED") or "20")
SCALE = float(os.environ.get("RESPOOL_CHAOS_SCALE") or "1")
PACE_SECONDS = 0.1
RECOVERY_SECONDS = 15.0

Told = Callable[[str, object], None]


@pytest.mark.skipif(LONG, reason="the long form does more of the same")
@pytest.mark.timeout(300)
def test_nothing_is_lost_doubled_or_leaked_by_anything_that_goes_wrong_once(tmp_path: Path) -> None:
    dice = random.Random(SEED)
    with running_stage(tmp_path, dice) as stage:
        with running_workload(stage.base, stage.receiver, seed=SEED, pace_seconds=PACE_SECONDS) as load:
            for nemesis in dice.sample(ALL, len(ALL)):
                nemesis(stage, dice)
            stage.wait_until_up()
        verdict = judge(stage, load, seconds=90)
    assert not verdict.faults


@pytest.mark.skipif(not LONG, reason="make chaos runs it")
@pytest.mark.timeout(3 * 3600)
@pytest.mark.parametrize("part", LONG_ROUNDS)
def test_nothing_is_lost_doubled_or_leaked_by_what_goes_wrong_again_and_again(
    part: str, tmp_path: Path, record_property: Told
) -> None:
    dice = random.Random(f"{SEED}{part}")
    counts = {kind: max(1, round(count * SCALE)) for kind, count in LONG_ROUNDS[part].items()}
    rounds = [kind for kind, count in counts.items() for _ in range(count)]
    dice.shuffle(rounds)
    begun = time.monotonic()
    with running_stage(tmp_path, dice, workers=4, senders=2) as stage:
        with running_workload(stage.base, stage.receiver, seed=SEED, pace_seconds=PACE_SECONDS, batches=5) as load:
            for nemesis in rounds:
                nemesis(stage, dice)
                time.sleep(dice.uniform(0, 0.8))  # the moment of the next is what is drawn by lot
            stage.wait_until_up()
        verdict = judge(stage, load, seconds=600)
        record_property("table", table(part, stage, counts, verdict, time.monotonic() - begun))
    assert not verdict.faults
    if part == "workers":
        assert verdict.recovery(0.99) <= RECOVERY_SECONDS


def table(part: str, stage: Stage, counts: dict[Nemesis, int], verdict: Verdict, seconds: float) -> str:
    rows: list[tuple[str, object]] = [
        (f"chaos: {part}", f"seed {SEED}, scale {SCALE:g}, {seconds:.0f} s"),
        ("versions", versions(stage.client)),
        *((kind.__name__.replace("_", " "), count) for kind, count in counts.items()),
        ("acknowledged", verdict.acknowledged),
        ("never answered", verdict.unknown),
        ("answers", dict(verdict.answers)),
        ("endings", dict(verdict.endings)),
        ("recovery p50, p99, n", f"{verdict.recovery(0.5):.1f} s, {verdict.recovery(0.99):.1f} s, "
         f"{len(verdict.recovery_seconds)}"),
        *((name.replace("_", " "), ids) for name, ids in verdict.faults.items()),
    ]  # fmt: skip
    return "\n".join(f"{name:<24} {value}" for name, value in rows)
