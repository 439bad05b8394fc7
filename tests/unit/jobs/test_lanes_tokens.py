"""Tokens a minute, with jobs of any size."""

import random

import pytest

from tests.fakes.bench import COMPLETED, Bench, answered
from tests.fakes.clock import Clock

LIMIT = 100_000


def run(bench: Bench, clock: Clock, *, minutes: float) -> list[tuple[float, int]]:
    """Dispatches whenever something may go: when (in seconds) and how many tokens went. Each call takes what was
    estimated and ends at once."""
    start = clock.seconds()
    went: list[tuple[float, int]] = []
    while clock.seconds() < start + 60 * minutes:
        done = bench.dispatch()
        for claim in bench.claim():
            tokens = bench.job(claim.number).tokens
            went.append((clock.seconds() - start, tokens))
            bench.runs().finish(claim, COMPLETED, answered(tokens))
        if done.wake_seconds is None:
            break
        clock.forward(max(done.wake_seconds, 0.001))
    return went


def fullest_minute(went: list[tuple[float, int]]) -> int:
    return max(sum(tokens for time, tokens in went if start <= time < start + 60) for start, _ in went)


def used(went: list[tuple[float, int]], *, minutes: float) -> float:
    """The share of the limit after the first minute."""
    return sum(tokens for time, tokens in went if time >= 60) / (LIMIT * (minutes - 1))


@pytest.mark.parametrize("tokens", [450, 501, 1000, 3000, 9000, 10_000])
def test_no_minute_exceeds_the_limit_and_nearly_all_of_it_is_used(bench: Bench, clock: Clock, tokens: int) -> None:
    bench.limit(tokens_per_minute=LIMIT)
    bench.fill(3 * LIMIT // tokens + 20, tokens=tokens)
    went = run(bench, clock, minutes=3)
    assert fullest_minute(went) <= LIMIT
    assert used(went, minutes=3) >= 0.9


@pytest.mark.parametrize(("tokens", "each_minute"), [(25_000, 3), (30_000, 3), (45_000, 2), (60_000, 1), (100_000, 1)])
def test_large_jobs_take_as_many_places_as_a_minute_has(
    bench: Bench, clock: Clock, tokens: int, each_minute: int
) -> None:
    bench.limit(tokens_per_minute=LIMIT)
    bench.fill(40, tokens=tokens)
    went = run(bench, clock, minutes=8)
    assert fullest_minute(went) <= LIMIT
    assert len([1 for time, _ in went if time >= 60]) >= each_minute * 7 * 0.9 - 1


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_jobs_of_mixed_sizes_keep_within_the_limit_and_use_it(bench: Bench, clock: Clock, seed: int) -> None:
    bench.limit(tokens_per_minute=LIMIT)
    dice = random.Random(seed)
    for _ in range(400):
        bench.fill(1, tokens=round(10 ** dice.uniform(2, 4)))
    went = run(bench, clock, minutes=5)
    assert fullest_minute(went) <= LIMIT
    assert used(went, minutes=5) >= 0.9


def test_small_jobs_after_a_large_one_keep_within_the_limit(bench: Bench, clock: Clock) -> None:
    bench.limit(tokens_per_minute=LIMIT)
    for large in (90_000, 50_000, 99_000):
        bench.fill(1, tokens=large)
        bench.fill(150, tokens=400)
    assert fullest_minute(run(bench, clock, minutes=3.4)) <= LIMIT


def test_a_large_job_does_not_wait_for_ever_behind_small_ones(bench: Bench, clock: Clock) -> None:
    bench.limit(tokens_per_minute=LIMIT)
    bench.fill(300, tokens=400, project="small")
    bench.fill(1, tokens=80_000, project="large")
    went = run(bench, clock, minutes=2.2)
    assert 80_000 in [tokens for _, tokens in went]


def test_what_calls_really_took_counts_in_the_minute(bench: Bench, clock: Clock) -> None:
    bench.limit(tokens_per_minute=LIMIT)
    bench.fill(400, tokens=1000)
    start, went = clock.seconds(), []
    while clock.seconds() < start + 240:
        done = bench.dispatch()
        for claim in bench.claim():
            went.append((clock.seconds() - start, 1300))
            bench.runs().finish(claim, COMPLETED, answered(1300))
        clock.forward(max(done.wake_seconds or 0.0, 0.001))
    # What a call takes beyond its estimate is known at its end only: as much as was under way may be too much.
    assert fullest_minute(went) <= LIMIT * 1.02
    assert used(went, minutes=4) >= 0.9


def test_a_job_beyond_the_limit_goes_alone_in_its_minute(bench: Bench, clock: Clock) -> None:
    bench.limit(tokens_per_minute=LIMIT)
    bench.fill(3, tokens=1000)
    bench.fill(1, tokens=3 * LIMIT)
    bench.fill(3, tokens=1000)
    went = run(bench, clock, minutes=5)
    (large,) = [time for time, tokens in went if tokens == 3 * LIMIT]
    assert [time for time, _ in went if large - 60 <= time < large + 60] == [large]
