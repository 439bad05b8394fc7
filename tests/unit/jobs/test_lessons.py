from itertools import pairwise

import pytest

from jobs import keys
from jobs.lanes import lane_of
from jobs.lessons import calm_seconds_of_rate, grown
from tests.fakes.bench import Bench
from tests.fakes.clock import Clock

LANE = lane_of("m")


@pytest.mark.parametrize(("rate", "seconds"), [(1, 300), (60, 300), (100, 180), (300, 60), (10_000, 60)])
def test_a_twentieth_comes_back_in_one_to_five_minutes(rate: float, seconds: float) -> None:
    assert calm_seconds_of_rate(rate) == seconds
    assert grown(rate, seconds=seconds, calm_seconds=seconds) == pytest.approx(1.054 * rate)


def test_what_was_learned_grows_ever_faster_until_it_is_doubled_within_six_minutes() -> None:
    values = [grown(300, seconds=seconds, calm_seconds=60) for seconds in range(0, 400, 10)]
    steps = [after - before for before, after in pairwise(values)]
    assert steps == sorted(steps)
    assert grown(300, seconds=360, calm_seconds=60) > 600


@pytest.mark.parametrize("kind", ["requests", "tokens"])
def test_the_dispatcher_counts_in_the_same_way(bench: Bench, clock: Clock, kind: str) -> None:
    bench.limit(**{f"{kind}_per_minute": 6000})
    claim = bench.run_one(model="m", tokens=1)
    clock.forward(2)
    bench.runs().throttle(claim, pause_seconds=0, reason="slow down", cut=kind, told_limit=500)
    for seconds in (0, 5, 30, 60, 120):
        clock.forward(seconds)
        bench.submit(model="m")
        bench.dispatch()
        shown = getattr(bench.lanes.get(LANE), f"{kind}_per_minute")
        assert shown == pytest.approx(float(bench.client.hget(keys.lane(LANE), f"{kind}_rate")), rel=1e-4)
