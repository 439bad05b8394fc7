"""A project's own bound of calls in flight, and how it waits for it."""

from tests.fakes.bench import ANSWERED, COMPLETED, UNSENT, Bench
from tests.fakes.clock import Clock


def out(bench: Bench) -> list[str]:
    """The projects whose jobs go now."""
    bench.dispatch()
    return sorted(bench.job(claim.number).project for claim in bench.claim())


def test_a_project_at_its_bound_is_passed_over_and_the_others_go_on(bench: Bench, clock: Clock) -> None:
    bench.projects.change("p", {"max_in_flight": 2})
    bench.fill(5, project="p")
    bench.fill(3, project="q")
    assert out(bench) == ["p", "p", "q", "q", "q"]
    bench.fill(2, project="p")
    bench.fill(2, project="q")
    assert out(bench) == ["q", "q"]
    assert bench.projects.get("p").in_flight == 2


def test_it_goes_on_when_one_of_its_calls_ends(bench: Bench, clock: Clock) -> None:
    bench.projects.change("p", {"max_in_flight": 1})
    bench.fill(3, project="p")
    bench.dispatch()
    (claim,) = bench.claim()
    assert out(bench) == []
    bench.runs().finish(claim, COMPLETED, ANSWERED)
    assert out(bench) == ["p"]
    assert out(bench) == []


def test_its_bound_holds_over_all_its_lanes_together(bench: Bench, clock: Clock) -> None:
    bench.projects.change("p", {"max_in_flight": 3})
    for model in "abc":
        bench.fill(3, project="p", model=model)
    bench.dispatch()
    claims = bench.claim()
    assert len(claims) == 3
    for claim in claims:
        bench.runs().finish(claim, COMPLETED, ANSWERED)
    assert len(out(bench)) == 3


def test_it_goes_on_when_a_call_is_put_back_or_its_worker_is_lost(bench: Bench, clock: Clock) -> None:
    bench.projects.change("p", {"max_in_flight": 1})
    bench.fill(3, project="p")
    bench.dispatch()
    (claim,) = bench.claim()
    bench.runs().snooze(claim, UNSENT, delay_seconds=100, reason="rate")
    assert out(bench) == ["p"]
    bench.kill("w1")
    bench.sweep()
    assert bench.projects.get("p").in_flight == 0
    bench.beat("w1")
    assert out(bench) == ["p"]


def test_it_goes_on_when_the_bound_is_raised_or_taken_away(bench: Bench, clock: Clock) -> None:
    bench.projects.change("p", {"max_in_flight": 1})
    bench.fill(5, project="p")
    assert len(out(bench)) == 1
    bench.projects.change("p", {"max_in_flight": 3})
    assert len(out(bench)) == 2
    bench.projects.change("p", {"max_in_flight": None})
    assert len(out(bench)) == 2


def test_a_project_that_was_parked_comes_back_without_a_credit(bench: Bench, clock: Clock) -> None:
    bench.limit(in_flight=1)
    bench.projects.change("p", {"max_in_flight": 1})
    bench.fill(40, project="p")
    bench.fill(40, project="q")
    went = []
    for _ in range(40):
        bench.dispatch()
        (claim,) = bench.claim()
        went.append(bench.job(claim.number).project)
        bench.runs().finish(claim, COMPLETED, ANSWERED)
    assert abs(went.count("p") - went.count("q")) <= 2


def test_a_job_that_comes_while_its_project_is_parked_waits_with_the_others(bench: Bench, clock: Clock) -> None:
    bench.projects.change("p", {"max_in_flight": 1})
    bench.fill(1, project="p")
    bench.dispatch()
    (claim,) = bench.claim()
    first, second = bench.fill(2, project="p")
    bench.dispatch()
    bench.submit(model="m", project="p")
    assert out(bench) == []
    bench.runs().finish(claim, COMPLETED, ANSWERED)
    bench.dispatch()
    assert [claim.number for claim in bench.claim()] == [first]
    assert bench.job(second).stage == "waiting"
