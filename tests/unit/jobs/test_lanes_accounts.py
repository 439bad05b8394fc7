"""Which account a job goes to."""

from collections import Counter

import pytest

from jobs.accounts import Account
from jobs.lanes import account_of, backlog_of, lane_of, model_of
from jobs.limits import LaneLimits, Limits
from tests.fakes.bench import ANSWERED, COMPLETED, UNSENT, Bench
from tests.fakes.clock import Clock


def account(name: str, *models: str) -> Account:
    return Account(name=name, url="https://example.test/v1", models=models or None)


def two(bench: Bench, **lanes: LaneLimits) -> None:
    """The accounts `one` and `two`, in this order; `lanes` are the limits of each for the model `m`."""
    bench.limits = Limits(
        accounts=(account("one"), account("two")),
        lanes={lane_of("m", account=name): limits for name, limits in lanes.items()},
    )


def went(bench: Bench) -> Counter[str]:
    """How many go to each account now."""
    bench.dispatch()
    return Counter(account_of(claim.lane) for claim in bench.claim())


def test_a_lane_is_named_by_account_and_model_whatever_the_model_is_called() -> None:
    for model in ("m", "a:b", "a/b c", ":", "模型"):
        lane = lane_of(model, account="one")
        assert (account_of(lane), model_of(lane)) == ("one", model)
        assert (backlog_of(model), backlog_of(model, account="one")) == (f"*:{model}", lane)
        assert model_of(backlog_of(model)) == model
    assert lane_of("m") == "default:m"


def test_accounts_are_tried_in_their_order_and_the_first_takes_all_it_can(bench: Bench, clock: Clock) -> None:
    two(bench, one=LaneLimits(in_flight=3))
    bench.fill(5)
    assert went(bench) == {"one": 3, "two": 2}
    two(bench)
    bench.fill(5)
    assert went(bench) == {"one": 5}


def test_the_first_account_is_used_again_as_soon_as_it_may(bench: Bench, clock: Clock) -> None:
    two(bench, one=LaneLimits(in_flight=1))
    bench.fill(2)
    bench.dispatch()
    first, _ = bench.claim()
    bench.runs().finish(first, COMPLETED, ANSWERED)
    bench.fill(1)
    assert went(bench) == {"one": 1}


def test_jobs_go_to_the_next_account_while_the_first_is_paused(bench: Bench, clock: Clock) -> None:
    two(bench)
    (claim,) = bench.run_all()
    bench.runs().throttle(claim, pause_seconds=30, reason="rate_limited", cut="pause")
    bench.fill(2)
    assert went(bench) == {"two": 2}
    clock.forward(30)
    bench.fill(2)
    assert went(bench) == {"one": 2}


def test_jobs_go_to_the_next_account_while_the_rate_of_the_first_is_used_up(bench: Bench, clock: Clock) -> None:
    two(bench, one=LaneLimits(requests_per_minute=60, burst=4), two=LaneLimits(tokens_per_minute=60_000, burst=None))
    bench.fill(6)
    assert went(bench)["one"] == 4
    bench.limits = Limits(
        accounts=(account("one"), account("two")), lanes={"one:n": LaneLimits(tokens_per_minute=1000)}
    )
    bench.fill(3, model="n", tokens=1000)
    assert went(bench) == {"one": 1, "two": 2}


def test_jobs_go_to_the_next_account_while_one_probes_or_is_stopped(bench: Bench, clock: Clock) -> None:
    two(bench)
    bench.lanes.pause("one:m", seconds=None, reason="maintenance", by="me")
    bench.fill(2)
    assert went(bench) == {"two": 2}
    bench.lanes.resume("one:m", reason="", by="me")
    (claim,) = bench.run_all()
    assert claim.lane == "one:m"
    bench.runs().throttle(claim, pause_seconds=1, reason="account_overdue", cut="account")
    clock.forward(1)
    bench.fill(3)
    assert went(bench) == {"one": 1, "two": 2}


def test_when_no_account_may_the_backlog_is_looked_at_when_the_first_of_them_may(bench: Bench, clock: Clock) -> None:
    two(bench, one=LaneLimits(in_flight=1))
    bench.fill(2)
    bench.dispatch()
    one, other = sorted(bench.claim(), key=lambda claim: claim.lane)
    bench.runs().throttle(other, pause_seconds=20, reason="rate_limited", cut="pause")
    bench.fill(1)
    done = bench.dispatch()
    assert (done.released, bench.blocked()) == (0, "lane_paused: rate_limited")
    assert done.wake_seconds == pytest.approx(20, abs=0.01)
    bench.runs().finish(one, COMPLETED, ANSWERED)
    assert went(bench) == {"one": 1}


def test_a_pinned_job_waits_for_its_account_whatever_the_others_have_free(bench: Bench, clock: Clock) -> None:
    two(bench, two=LaneLimits(in_flight=1))
    bench.fill(3, backlog=backlog_of("m", account="two"))
    bench.fill(2)
    bench.dispatch()
    claims = bench.claim()
    assert Counter(account_of(claim.lane) for claim in claims) == {"two": 1, "one": 2}
    assert bench.blocked("two:m") == "in_flight"
    pinned = next(claim for claim in claims if claim.lane == "two:m")
    bench.runs().finish(pinned, COMPLETED, ANSWERED)
    assert went(bench) == {"two": 1}


def test_a_lane_that_two_backlogs_share_serves_both_by_turns(bench: Bench, clock: Clock) -> None:
    bench.limits = Limits(accounts=(account("one"),), default=LaneLimits(in_flight=1))
    bench.fill(10, backlog=backlog_of("m", account="one"), project="pinned")
    bench.fill(10, project="any")
    order = []
    for _ in range(10):
        assert bench.dispatch().released == 1, "an end opens both backlogs"
        (claim,) = bench.claim()
        order.append(bench.job(claim.number).project)
        bench.runs().finish(claim, COMPLETED, ANSWERED)
    assert Counter(order) == {"pinned": 5, "any": 5}


def test_a_model_goes_to_the_accounts_that_have_it_alone(bench: Bench, clock: Clock) -> None:
    bench.limits = Limits(accounts=(account("one", "a"), account("two", "b"), account("three", "a", "b")))
    bench.limits = Limits(accounts=bench.limits.accounts, default=LaneLimits(in_flight=2))
    bench.fill(5, model="b")
    assert went(bench) == {"two": 2, "three": 2}
    bench.fill(3, model="a")
    assert went(bench) == {"one": 2, "three": 1}


def test_a_model_that_no_account_has_waits_and_says_so_and_goes_when_one_has_it(bench: Bench, clock: Clock) -> None:
    bench.limits = Limits(accounts=(account("one", "a"),))
    bench.fill(2)
    done = bench.dispatch()
    assert (done.released, bench.blocked()) == (0, "lane_paused: no account has the model")
    bench.fill(1, model="a")
    assert went(bench) == {"one": 1}
    two(bench)
    clock.forward(60)
    assert went(bench) == {"one": 2}


def test_a_job_that_is_put_back_may_go_to_another_account(bench: Bench, clock: Clock) -> None:
    two(bench)
    (claim,) = bench.run_all()
    bench.runs().throttle(claim, pause_seconds=30, reason="rate_limited", cut="requests")
    bench.runs().snooze(claim, UNSENT, delay_seconds=0, reason="rate_limited")
    bench.dispatch()
    (again,) = bench.claim()
    job = bench.job(claim.number)
    assert (again.number, again.lane, job.lane, job.backlog) == (claim.number, "two:m", "two:m", "*:m")
    assert [attempt["lane"] for attempt in job.attempts] == ["one:m", "two:m"]
    assert (bench.slots("one:m"), bench.slots("two:m")) == (set(), {claim.number})


def test_before_its_release_a_job_has_no_lane(bench: Bench, clock: Clock) -> None:
    number = bench.submit(model="m")
    assert (bench.job(number).lane, bench.job(number).backlog) == (None, "*:m")


def test_limits_of_a_lane_come_before_those_of_its_model_and_these_before_the_default(
    bench: Bench, clock: Clock
) -> None:
    bench.limits = Limits(
        default=LaneLimits(in_flight=3),
        models={"m": LaneLimits(in_flight=2)},
        lanes={"one:m": LaneLimits(in_flight=1)},
        accounts=(account("one"), account("two")),
    )
    bench.fill(9)
    assert went(bench) == {"one": 1, "two": 2}
    bench.fill(9, model="n")
    assert went(bench) == {"one": 3, "two": 3}
