"""Who goes first: priority with ageing among the jobs of a project, weights among projects."""

from collections import Counter

import pytest

from tests.fakes.bench import ANSWERED, COMPLETED, Bench
from tests.fakes.clock import Clock


def order(bench: Bench) -> list[str]:
    """The numbers of all that waits for `m`, in the order in which they go."""
    bench.beat("w1", slots=1000)
    bench.dispatch()
    return [claim.number for claim in bench.claim()]


def test_of_jobs_that_came_together_the_higher_priority_goes_first(bench: Bench, clock: Clock) -> None:
    numbers = {priority: bench.submit(model="m", priority=priority) for priority in (5, 0, 9, 1, 8)}
    assert order(bench) == [numbers[priority] for priority in (9, 8, 5, 1, 0)]


def test_jobs_of_one_priority_go_in_the_order_they_came(bench: Bench, clock: Clock) -> None:
    numbers = bench.fill(20, priority=9)
    assert order(bench) == numbers


@pytest.mark.parametrize(("steps", "first_waited_enough"), [(1, False), (1, True), (9, False), (9, True)])
def test_each_step_of_priority_is_worth_one_ageing_time_and_no_more(
    bench: Bench, clock: Clock, steps: int, first_waited_enough: bool
) -> None:
    bench.ageing_seconds = 10.0
    low = bench.submit(model="m", priority=0)
    clock.forward(10 * steps + (0.1 if first_waited_enough else -0.1))
    high = bench.submit(model="m", priority=steps)
    assert order(bench) == ([low, high] if first_waited_enough else [high, low])


def test_a_low_priority_never_starves_under_a_steady_stream_of_high_ones(bench: Bench, clock: Clock) -> None:
    bench.limit(in_flight=1)
    low = bench.submit(model="m", priority=0)
    served = []
    for _ in range(20):
        bench.fill(2, priority=9)
        bench.dispatch()
        (claim,) = bench.claim()
        served.append(claim.number)
        if claim.number == low:
            break
        bench.runs().finish(claim, COMPLETED, ANSWERED)
        clock.forward(60)
    # Nine ageing times later what comes is behind it; what came before them is worked off first, one a minute.
    assert served[-1] == low
    assert len(served) > 9


def test_without_an_ageing_time_priority_says_nothing(bench: Bench, clock: Clock) -> None:
    bench.ageing_seconds = 0.0
    numbers = [bench.submit(model="m", priority=priority) for priority in (0, 9, 5)]
    assert order(bench) == numbers


def test_a_job_that_is_put_back_keeps_its_place(bench: Bench, clock: Clock) -> None:
    bench.limit(in_flight=1)
    first, second = bench.fill(2)
    bench.dispatch()
    (claim,) = bench.claim()
    assert claim.number == first
    bench.runs().retry(claim, ANSWERED, delay_seconds=0)
    bench.dispatch()
    assert [claim.number for claim in bench.claim()] == [first]
    assert bench.job(second).stage == "waiting"


def one_by_one(bench: Bench, turns: int) -> Counter[str]:
    """How many jobs of each project go while one call at a time may."""
    went: Counter[str] = Counter()
    for _ in range(turns):
        bench.dispatch()
        (claim,) = bench.claim()
        went[bench.job(claim.number).project] += 1
        bench.runs().finish(claim, COMPLETED, ANSWERED)
    return went


def test_a_project_of_weight_three_gets_three_times_the_turns(bench: Bench, clock: Clock) -> None:
    bench.limit(in_flight=1)
    bench.projects.change("heavy", {"weight": 3.0})
    bench.fill(320, project="heavy")
    bench.fill(120, project="light")
    went = one_by_one(bench, 400)
    assert went["heavy"] / went["light"] == pytest.approx(3, rel=0.05)


def test_the_shares_of_a_dispatch_follow_the_weights_too(bench: Bench, clock: Clock) -> None:
    bench.projects.change("heavy", {"weight": 3.0})
    bench.fill(100, project="light", slots=80)
    bench.fill(100, project="heavy", slots=80)
    assert bench.dispatch().released == 80
    went = Counter(bench.job(claim.number).project for claim in bench.claim())
    assert went == {"heavy": 60, "light": 20}


def test_a_weight_that_is_changed_holds_from_the_next_job_on(bench: Bench, clock: Clock) -> None:
    bench.limit(in_flight=1)
    bench.fill(120, project="p")
    bench.fill(120, project="q")
    assert one_by_one(bench, 100) == {"p": 50, "q": 50}
    bench.projects.change("p", {"weight": 3.0})
    assert one_by_one(bench, 80)["p"] == pytest.approx(60, abs=2)


@pytest.mark.parametrize("weight", [0.5, 4.0])
def test_a_project_that_comes_late_gets_its_share_from_then_on_and_no_credit(
    bench: Bench, clock: Clock, weight: float
) -> None:
    bench.limit(in_flight=1)
    bench.projects.change("late", {"weight": weight})
    bench.fill(200, project="early")
    one_by_one(bench, 100)
    bench.fill(100, project="late")
    share = weight / (1 + weight)
    assert one_by_one(bench, 50)["late"] == pytest.approx(50 * share, abs=2)


def test_projects_share_by_tokens_where_these_are_the_tighter_limit(bench: Bench, clock: Clock) -> None:
    bench.limit(requests_per_minute=600, tokens_per_minute=60_000)
    bench.fill(100, project="large", tokens=900)
    bench.fill(600, project="small", tokens=100)
    tokens: Counter[str] = Counter()
    while sum(tokens.values()) < 100_000:
        done = bench.dispatch()
        for claim in bench.claim():
            job = bench.job(claim.number)
            tokens[job.project] += job.tokens
        clock.forward(done.wake_seconds or 0.0)
    assert tokens["large"] / tokens["small"] == pytest.approx(1, rel=0.05)
