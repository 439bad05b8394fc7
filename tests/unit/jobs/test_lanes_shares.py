"""How backlogs share what they have in common: a lane, or the bound of a project."""

from collections import Counter

import pytest

from jobs import keys
from jobs.accounts import Account
from jobs.lanes import backlog_of
from jobs.limits import LaneLimits, Limits
from tests.fakes.bench import ANSWERED, COMPLETED, Bench
from tests.fakes.clock import Clock

PINNED = "one:m"


def shared(bench: Bench, **limits: int) -> None:
    """One lane, which has these limits, for two backlogs: pinned and general."""
    bench.limits = Limits(accounts=(Account(name="one", url="https://example.test"),), default=LaneLimits(**limits))


def run(bench: Bench, clock: Clock, *, seconds: float) -> Counter[str]:
    """How many jobs of each backlog went; each call ends at once."""
    went: Counter[str] = Counter()
    end = clock.seconds() + seconds
    while clock.seconds() < end:
        wake = bench.dispatch().wake_seconds
        claims = bench.claim()
        for claim in claims:
            went[bench.job(claim.number).backlog] += 1
            bench.runs().finish(claim, COMPLETED, ANSWERED)
        clock.forward(0.001 if claims else max(wake or 0.0, 0.001))
    return went


@pytest.mark.parametrize("models", ["abc", "zyx", "bca"])
def test_a_project_that_may_have_one_call_gets_turns_at_all_its_models(bench: Bench, clock: Clock, models: str) -> None:
    bench.projects.change("p", {"max_in_flight": 1})
    for model in models:
        bench.fill(10, project="p", model=model)
    went: Counter[str] = Counter()
    for _ in range(12):
        assert bench.dispatch().released == 1
        (claim,) = bench.claim()
        went[bench.job(claim.number).model] += 1
        bench.runs().finish(claim, COMPLETED, ANSWERED)
    assert went == dict.fromkeys(models, 4)


@pytest.mark.parametrize("limits", [{"requests_per_minute": 60}, {"tokens_per_minute": 60_000}, {"in_flight": 1}])
def test_a_pinned_and_a_general_backlog_have_equal_shares_of_their_lane(
    bench: Bench, clock: Clock, limits: dict[str, int]
) -> None:
    shared(bench, **limits)
    bench.fill(80, tokens=1000, backlog=backlog_of("m", account="one"))
    bench.fill(80, tokens=1000)
    went = run(bench, clock, seconds=60 if limits != {"in_flight": 1} else 0.06)
    assert sum(went.values()) >= 50
    assert abs(went[PINNED] - went["*:m"]) <= 2


@pytest.mark.parametrize("large_is_pinned", [True, False])
def test_a_large_job_of_one_backlog_does_not_wait_for_ever_for_the_small_ones_of_the_other(
    bench: Bench, clock: Clock, large_is_pinned: bool
) -> None:
    shared(bench, tokens_per_minute=100_000)
    backlogs = [backlog_of("m", account="one"), backlog_of("m")]
    of_large, of_small = backlogs if large_is_pinned else backlogs[::-1]
    bench.fill(900, tokens=400, backlog=of_small)
    run(bench, clock, seconds=60)
    bench.fill(1, tokens=80_000, backlog=of_large)
    went = run(bench, clock, seconds=75)
    assert went[of_large] == 1
    assert went[of_small] > 0


def test_a_large_job_that_is_cancelled_keeps_no_tokens_from_the_others(bench: Bench, clock: Clock) -> None:
    shared(bench, tokens_per_minute=100_000)
    bench.fill(300, tokens=400)
    run(bench, clock, seconds=60)
    (large,) = bench.fill(1, tokens=80_000, backlog=backlog_of("m", account="one"))
    run(bench, clock, seconds=2)
    bench.store.cancel(large, project=None)
    bench.fill(100, tokens=400)
    assert run(bench, clock, seconds=10)["*:m"] >= 30


def test_a_project_that_comes_after_the_turns_were_forgotten_is_level_with_the_one_served_least(
    bench: Bench, clock: Clock
) -> None:
    bench.limit(in_flight=1)
    bench.fill(60, project="p")
    run(bench, clock, seconds=0.02)
    bench.client.delete(keys.backlog("*:m"))
    bench.fill(60, project="late")
    before = bench.projects.get("p").queued
    run(bench, clock, seconds=0.02)
    assert before - bench.projects.get("p").queued >= 9
