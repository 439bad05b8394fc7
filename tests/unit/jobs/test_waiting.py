import time

import pytest

from jobs.accepted import Accepted
from jobs.accounts import Account
from jobs.errors import StoreUnavailable
from jobs.lanes import backlog_of
from jobs.limits import LaneLimits, Limits
from jobs.record import Job
from jobs.waiting import Waiting
from tests.factories import new_job, unique
from tests.fakes.bench import ANSWERED, COMPLETED, FAILED, UNSENT, Bench, answered
from tests.fakes.clock import Clock

NANO = 10**9


def waiting(bench: Bench, number: str) -> Waiting:
    return bench.waiting_room.of([bench.job(number)])[number]


def submitted(bench: Bench) -> tuple[Job, Accepted]:
    job = new_job()
    found = bench.store.submit(job, unique()).accepted
    assert found
    return bench.store.accepted(job, found), found


def reason(bench: Bench, number: str) -> str | None:
    return waiting(bench, number).reason


def seen(bench: Bench, count: int, *, seconds: float, clock: Clock) -> None:
    """So many calls of the lane took so long, one after the other."""
    for _ in range(count):
        claim = bench.run_one(model="m")
        clock.forward(seconds)
        bench.runs().finish(claim, COMPLETED, ANSWERED)


def test_without_a_worker_a_job_waits_for_one(bench: Bench) -> None:
    number = bench.submit()
    assert waiting(bench, number) == Waiting(reason="no_worker", position=1, ahead=0, eta=None)
    bench.beat("w1")
    bench.kill("w1")
    assert reason(bench, number) == "no_worker"


def test_a_job_whose_turn_has_not_come_has_no_reason(bench: Bench) -> None:
    number = bench.submit()
    bench.beat("w1")
    assert reason(bench, number) is None


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"in_flight": 1}, "in_flight"),
        ({"requests_per_minute": 1}, "rate_limit_requests"),
        ({"tokens_per_minute": 10}, "rate_limit_tokens"),
        ({"ramp_per_second": 1.0}, "ramp"),
    ],
)
def test_a_job_says_what_limit_it_waits_for(bench: Bench, clock: Clock, limits: dict[str, int], expected: str) -> None:
    bench.limit(**limits)
    _, second = bench.fill(2)
    bench.dispatch()
    assert reason(bench, second) == expected


def test_with_every_slot_taken_it_waits_for_a_worker_though_some_live(bench: Bench, clock: Clock) -> None:
    _, second = bench.fill(2, slots=1)
    bench.dispatch()
    assert reason(bench, second) == "no_worker"


def test_a_job_of_a_paused_lane_says_so_also_after_others_came(bench: Bench, clock: Clock) -> None:
    claim = bench.run_one(model="m")
    bench.runs().throttle(claim, pause_seconds=60, reason="account_overdue", cut="account")
    number = bench.submit(model="m")
    bench.dispatch()
    bench.submit(model="m")
    bench.dispatch()
    assert reason(bench, number) == "lane_paused: account_overdue"
    assert bench.waiting_room.of([]) == {}


def test_a_job_of_a_stopped_lane_says_what_the_operator_said(bench: Bench, clock: Clock) -> None:
    bench.lanes.pause("default:m", seconds=None, reason="0x10 maintenance", by="me")
    (number,) = bench.fill(1)
    bench.dispatch()
    found = waiting(bench, number)
    assert (found.reason, found.eta) == ("lane_paused: 0x10 maintenance", None)


@pytest.mark.parametrize("text", ["007", "1e3", "nan"])
def test_a_reason_that_reads_like_a_number_stays_a_text(bench: Bench, clock: Clock, text: str) -> None:
    bench.lanes.pause("default:m", seconds=None, reason=text, by="me")
    (number,) = bench.fill(1)
    bench.dispatch()
    assert reason(bench, number) == f"lane_paused: {text}"


def test_a_job_of_a_project_that_overspent_waits_for_its_budget_and_nobody_knows_when(
    bench: Bench, clock: Clock
) -> None:
    bench.projects.change("p", {"cost_per_day": 5})
    claim = bench.run_one(project="p", model="m", nano=NANO)
    (number,) = bench.fill(1, project="p", nano=NANO)
    bench.runs().finish(claim, COMPLETED, answered(1, nano=6 * NANO))
    bench.dispatch()
    found = waiting(bench, number)
    assert (found.reason, found.eta) == ("budget", None)


def test_a_job_of_a_project_at_its_own_bound_waits_for_its_calls(bench: Bench, clock: Clock) -> None:
    bench.projects.change("p", {"max_in_flight": 1})
    _, second = bench.fill(2, project="p")
    bench.dispatch()
    assert reason(bench, second) == "in_flight"


def test_a_delayed_job_says_why_it_was_put_back_and_an_ended_one_nothing(bench: Bench) -> None:
    claim = bench.run_one()
    assert waiting(bench, claim.number) == Waiting()
    bench.runs().snooze(claim, UNSENT, delay_seconds=60, reason="rate_limited")
    assert reason(bench, claim.number) == "rate_limited"
    bench.store.cancel(claim.number, project=None)
    assert waiting(bench, claim.number) == Waiting()


def test_a_delayed_job_starts_no_earlier_than_it_is_due(bench: Bench, clock: Clock) -> None:
    (claim,) = bench.run_all()
    bench.runs().retry(claim, FAILED, delay_seconds=60)
    found = waiting(bench, claim.number)
    assert (found.reason, found.position) == ("retry_at", 1)
    assert found.eta is not None
    assert found.eta.p50_seconds == pytest.approx(60, abs=0.1)


def test_a_position_is_the_place_among_the_projects_own_jobs(bench: Bench, clock: Clock) -> None:
    numbers = bench.fill(5, project="p")
    bench.fill(5, project="q")
    found = bench.waiting_room.of([bench.job(number) for number in numbers])
    assert [found[number].position for number in numbers] == [1, 2, 3, 4, 5]
    bench.store.cancel(numbers[0], project=None)
    assert waiting(bench, numbers[4]).position == 4
    urgent = bench.submit(model="m", project="p", priority=9)
    assert (waiting(bench, urgent).position, waiting(bench, numbers[4]).position) == (1, 5)


def test_a_delayed_job_has_the_place_that_it_will_take(bench: Bench, clock: Clock) -> None:
    bench.limit(in_flight=1)
    first, *rest = bench.fill(3)
    bench.dispatch()
    (claim,) = bench.claim()
    bench.runs().snooze(claim, UNSENT, delay_seconds=60, reason="rate")
    assert waiting(bench, first).position == 1
    assert [waiting(bench, number).position for number in rest] == [1, 2]


def test_ahead_are_about_as_many_as_really_go_before(bench: Bench, clock: Clock) -> None:
    bench.limit(in_flight=1)
    bench.projects.change("heavy", {"weight": 3.0})
    bench.fill(60, project="heavy")
    bench.fill(5, project="small")
    bench.fill(30, project="own")
    for _ in range(10):
        bench.dispatch()
        (claim,) = bench.claim()
        bench.runs().finish(claim, COMPLETED, ANSWERED)
    last = bench.submit(model="m", project="own")
    position = waiting(bench, last).position
    expected = waiting(bench, last).ahead
    assert position is not None
    assert expected is not None
    went = 0
    while bench.job(last).stage == "waiting":
        bench.dispatch()
        (claim,) = bench.claim()
        bench.runs().finish(claim, COMPLETED, ANSWERED)
        went += 1
    assert went - 1 == pytest.approx(expected, abs=3)


def test_without_a_call_that_ended_a_job_that_needs_one_to_has_no_eta(bench: Bench, clock: Clock) -> None:
    bench.limit(in_flight=1)
    first, second = bench.fill(2)
    found = waiting(bench, first).eta
    assert found is not None
    assert found.p50_seconds == 0
    bench.dispatch()
    bench.claim()
    assert waiting(bench, second).eta is None


def test_an_eta_follows_how_long_calls_took(bench: Bench, clock: Clock) -> None:
    bench.limit(in_flight=1)
    seen(bench, 20, seconds=10, clock=clock)
    numbers = bench.fill(6)
    bench.dispatch()
    etas = [waiting(bench, number).eta for number in numbers[1:]]
    seconds = [eta.p50_seconds for eta in etas if eta is not None]
    assert seconds == pytest.approx([5, 15, 25, 35, 45], abs=0.1)
    assert all(eta is not None and eta.p90_seconds >= eta.p50_seconds for eta in etas)


def test_an_eta_follows_the_rate(bench: Bench, clock: Clock) -> None:
    bench.limit(requests_per_minute=60)
    numbers = bench.fill(62)
    bench.dispatch()
    found = waiting(bench, numbers[-1]).eta
    assert found is not None
    assert found.p50_seconds == pytest.approx(60, abs=2)


def test_an_eta_waits_for_the_end_of_a_pause(bench: Bench, clock: Clock) -> None:
    (claim,) = bench.run_all()
    bench.runs().throttle(claim, pause_seconds=40, reason="rate_limited", cut="pause")
    (number,) = bench.fill(1)
    found = waiting(bench, number).eta
    assert found is not None
    assert found.p50_seconds == pytest.approx(40, abs=0.1)


def test_a_pinned_job_looks_at_its_account_alone(bench: Bench, clock: Clock) -> None:
    bench.limits = Limits(
        accounts=tuple(Account(name=name, url="https://example.test") for name in ("one", "two")),
        lanes={"one:m": LaneLimits(in_flight=1)},
    )
    bench.lanes.pause("two:m", seconds=None, reason="", by="me")
    pinned = bench.submit(model="m", backlog=backlog_of("m", account="two"))
    free = bench.submit(model="m")
    bench.beat("w1")
    assert waiting(bench, pinned).eta is None
    assert waiting(bench, free).eta is not None


def test_the_projects_own_bound_makes_it_later(bench: Bench, clock: Clock) -> None:
    seen(bench, 20, seconds=10, clock=clock)
    bench.projects.change("p", {"max_in_flight": 1})
    numbers = bench.fill(4, project="p")
    bench.dispatch()
    found = [waiting(bench, number).eta for number in numbers[1:]]
    assert [eta and eta.p50_seconds for eta in found] == pytest.approx([5, 15, 25], abs=0.1)


def test_what_a_job_would_wait_for_is_told_before_it_is_submitted_and_nothing_is_stored(
    bench: Bench, clock: Clock
) -> None:
    bench.limit(in_flight=1)
    seen(bench, 20, seconds=10, clock=clock)
    bench.fill(4)
    bench.dispatch()
    before = bench.all_keys()
    found = bench.waiting_room.of_new(backlog="*:m", project="default", priority=5, tokens=10)
    assert bench.all_keys() == before
    (number,) = bench.fill(1)
    assert found == waiting(bench, number)
    assert (found.reason, found.position, found.ahead) == ("in_flight", 4, 3)
    urgent = bench.waiting_room.of_new(backlog="*:m", project="default", priority=9, tokens=10)
    assert urgent.position == 1


def test_a_new_project_would_start_level_with_the_others(bench: Bench, clock: Clock) -> None:
    bench.limit(in_flight=1)
    seen(bench, 20, seconds=1, clock=clock)
    bench.fill(50)
    bench.dispatch()
    found = bench.waiting_room.of_new(backlog="*:m", project="new", priority=5, tokens=10)
    assert (found.position, found.ahead) == (1, 0)


def test_a_job_that_waits_for_its_response_upstream_stands_in_its_accounts_backlog(bench: Bench, clock: Clock) -> None:
    (claim,) = bench.run_all()
    bench.runs().mark_sent(claim)
    bench.runs().keep_upstream(claim, "up")
    bench.fill(3)
    bench.kill("w1")
    bench.sweep()
    assert waiting(bench, claim.number).position == 1


def test_a_model_that_no_account_has_says_so(bench: Bench, clock: Clock) -> None:
    bench.limits = Limits(accounts=(Account(name="one", url="https://example.test", models=("other",)),))
    (number,) = bench.fill(1)
    bench.dispatch()
    found = waiting(bench, number)
    assert (found.reason, found.eta) == ("lane_paused: no account has the model", None)


def test_many_projects_are_counted_as_if_the_rest_were_like_those_looked_at(bench: Bench, clock: Clock) -> None:
    for n in range(230):
        bench.submit(model="m", project=f"p{n}")
    number = bench.submit(model="m", project="own")
    bench.submit(model="m", project="own")
    second = bench.submit(model="m", project="own")
    assert waiting(bench, number).ahead == 0
    assert waiting(bench, second).ahead == pytest.approx(232, abs=3)


def test_what_lies_before_a_job_may_have_been_seen_before_but_its_own_place_is_read(bench: Bench) -> None:
    room, first = bench.waiting_room, bench.submit()
    assert room.of([bench.job(first)])[first].reason == "no_worker"
    bench.beat("w1")
    second, found = submitted(bench)
    seen = room.of_accepted(second, found, seen_seconds=60)
    assert (seen.reason, seen.position) == ("no_worker", 2)
    assert room.of([second])[second.number].reason is None


def test_a_look_that_failed_before_redis_came_back_is_nobodys(bench: Bench) -> None:
    room, (job, found) = bench.waiting_room, submitted(bench)

    def away() -> None:
        raise StoreUnavailable("away")

    with pytest.raises(StoreUnavailable):
        room._looks.look(job.backlog, away, since=time.monotonic())
    assert room.of_accepted(job, found, seen_seconds=60).position == 1
