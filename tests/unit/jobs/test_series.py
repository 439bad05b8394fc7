import math
import random
from collections.abc import Callable
from statistics import quantiles as exact

import pytest

from jobs import keys
from jobs.series import KEPT_SECONDS, Point, Quantiles, Series, Step, quantiles
from tests.fakes.bench import ANSWERED, COMPLETED, FAILED, FAILURE, Bench
from tests.fakes.clock import Clock


@pytest.fixture
def series(bench: Bench) -> Series:
    return Series(bench.client)


def last(series: Series, *, project: str | None = "p", step: Step = "minute") -> Point:
    """The present point."""
    (point,) = series.points(project, series.now(), series.now(), step)
    return point


def close(value: float) -> object:
    return pytest.approx(value, rel=0.05)


def run(bench: Bench, clock: Clock, *, waited: float, took: float, project: str = "p") -> None:
    number = bench.submit(project=project)
    bench.beat("w1")
    clock.forward(waited)
    bench.dispatch()
    (claim,) = [claim for claim in bench.claim() if claim.number == number]
    clock.forward(took)
    bench.runs().finish(claim, COMPLETED, ANSWERED)


@pytest.mark.parametrize("step", ["minute", "hour"])
def test_what_comes_and_ends_is_counted_where_it_happens(
    step: Step, bench: Bench, clock: Clock, series: Series
) -> None:
    first = series.now()
    width = {"minute": 60, "hour": 3600}[step]
    bench.store.cancel(bench.submit(project="p"), project=None)
    claim = bench.run_one(project="p")
    bench.submit(project="q")
    clock.forward(2 * width)
    bench.runs().finish(claim, FAILURE, FAILED)
    points = series.points("p", first, series.now(), step)
    assert [point.start for point in points] == [first // width * width + n * width for n in range(3)]
    assert [(p.submitted, p.cancelled, p.failed, p.completed) for p in points] == [
        (2, 1, 0, 0), (0, 0, 0, 0), (0, 0, 1, 0)
    ]  # fmt: skip
    assert [p.submitted for p in series.points(None, first, first, step)] == [3]


def test_waiting_and_running_are_told_within_five_per_cent(bench: Bench, clock: Clock, series: Series) -> None:
    run(bench, clock, waited=2.5, took=7)
    told = last(series)
    assert (told.queue_seconds, told.run_seconds) == (
        Quantiles(p50=close(2.5), p95=close(2.5)), Quantiles(p50=close(7), p95=close(7))
    )  # fmt: skip


def test_projects_are_summed_up_for_whoever_sees_all(bench: Bench, clock: Clock, series: Series) -> None:
    for project, took in (("p", 1), ("p", 1), ("q", 20)):
        run(bench, clock, waited=0, took=took, project=project)
    assert last(series, project=None).run_seconds == Quantiles(p50=close(1), p95=close(20))
    assert last(series, project="p").run_seconds == Quantiles(p50=close(1), p95=close(1))


def test_one_that_never_started_tells_no_times(bench: Bench, series: Series) -> None:
    bench.store.cancel(bench.submit(project="p"), project=None)
    assert (last(series).queue_seconds, last(series).run_seconds) == (None, None)


def test_one_that_was_cut_short_tells_how_long_it_had_waited_alone(bench: Bench, clock: Clock, series: Series) -> None:
    claim = bench.run_one(project="p")
    clock.forward(5)
    bench.store.cancel(claim.number, project=None)
    assert last(series).run_seconds is None
    assert last(series).queue_seconds is not None


def test_one_that_is_tried_again_by_hand_tells_its_last_start(bench: Bench, clock: Clock, series: Series) -> None:
    claim = bench.run_one(project="p")
    bench.runs().finish(claim, FAILURE, FAILED)
    clock.forward(60)
    bench.store.retry(claim.number, project=None)
    clock.forward(3)
    bench.dispatch()
    (again,) = bench.claim()
    clock.forward(8)
    bench.runs().finish(again, COMPLETED, ANSWERED)
    told = last(series)
    assert (told.queue_seconds, told.run_seconds) == (
        Quantiles(p50=close(3), p95=close(3)), Quantiles(p50=close(8), p95=close(8))
    )  # fmt: skip


def test_what_is_sent_twice_is_counted_once(bench: Bench, series: Series) -> None:
    claim = bench.run_one(project="p")
    for _ in range(2):
        bench.runs().finish(claim, COMPLETED, ANSWERED)
        bench.store.cancel(claim.number, project=None)
    assert (last(series).submitted, last(series).completed, last(series).cancelled) == (1, 1, 0)


def test_an_end_takes_no_more_than_two_commands_of_figures(bench: Bench) -> None:
    claims = [bench.run_one(project="p") for _ in range(2)]
    bench.runs().finish(claims[0], COMPLETED, ANSWERED)
    before = bench.client.info("commandstats")
    bench.runs().finish(claims[1], COMPLETED, ANSWERED)
    after = bench.client.info("commandstats")
    assert after["cmdstat_bitfield"]["calls"] - before["cmdstat_bitfield"]["calls"] == 2


@pytest.mark.parametrize("step", ["minute", "hour"])
def test_figures_are_kept_for_a_bounded_time_and_are_small(
    step: Step, bench: Bench, clock: Clock, series: Series
) -> None:
    run(bench, clock, waited=10**9, took=10**9)
    (key,) = bench.client.scan_iter(
        match=keys.series(step, "p", int(series.now()) // 60 // (60 if step == "hour" else 1))
    )
    assert 0 < bench.client.ttl(key) <= KEPT_SECONDS[step]
    assert bench.client.strlen(key) <= 4 * (8 + 2 * 220)
    assert last(series, step=step).run_seconds is not None


def bucket(ms: int) -> int:
    """As the script has it."""
    return ms if ms < 10 else min(219, 10 + math.floor(math.log(ms / 10) / math.log(1.1)))


@pytest.mark.parametrize(
    "draw", [lambda c: c.expovariate(1 / 800), lambda c: c.lognormvariate(9, 2), lambda c: c.uniform(10, 90)]
)
def test_quantiles_of_many_times_are_within_five_per_cent(draw: Callable[[random.Random], float]) -> None:
    chance = random.Random(1)
    times = [min(4 * 10**9, round(draw(chance))) for _ in range(5000)]
    counts = [0] * 220
    for time in times:
        counts[bucket(time)] += 1
    told = quantiles(counts)
    cuts = exact(times, n=20, method="inclusive")
    assert told is not None
    assert told.p50 == pytest.approx(cuts[9] / 1000, rel=0.055)
    assert told.p95 == pytest.approx(cuts[18] / 1000, rel=0.055)


def test_of_nothing_there_are_no_quantiles() -> None:
    assert quantiles([]) is None
    assert quantiles([0, 0]) is None
    assert quantiles([0, 0, 1]) == Quantiles(p50=0.002, p95=0.002)
