"""A backlog that nobody opens is looked at again by itself."""

import pytest

from jobs import keys
from jobs.accounts import Account
from jobs.limits import LaneLimits, Limits
from tests.fakes.bench import Bench
from tests.fakes.clock import Clock

LOOK_SECONDS = 30


def full(bench: Bench) -> None:
    """The one call that the lane allows is under way, and another job waits."""
    bench.limits = Limits(accounts=(Account(name="one", url="https://example.test"),), default=LaneLimits(in_flight=1))
    bench.run_all()
    bench.fill(1)


def test_what_waits_for_nothing_but_an_end_is_looked_at_after_half_a_minute(bench: Bench, clock: Clock) -> None:
    full(bench)
    assert (bench.dispatch().wake_seconds, bench.blocked()) == (LOOK_SECONDS, "in_flight")


def test_nothing_is_looked_at_where_nothing_waits(bench: Bench, clock: Clock) -> None:
    bench.run_all()
    assert bench.dispatch().wake_seconds is None


@pytest.mark.parametrize("account", ["one", "renamed"])
def test_another_limits_file_holds_after_half_a_minute(bench: Bench, clock: Clock, account: str) -> None:
    full(bench)
    bench.dispatch()
    bench.limits = Limits(accounts=(Account(name=account, url="https://example.test"),))
    clock.forward(LOOK_SECONDS)
    assert bench.dispatch().released == 1
    assert [claim.lane for claim in bench.claim()] == [f"{account}:m"]


def test_a_width_that_grew_back_lets_more_go_though_nothing_ended(bench: Bench, clock: Clock) -> None:
    bench.limit(in_flight=10)
    claims = bench.run_all(10)
    bench.runs().throttle(claims[0], pause_seconds=0, reason="overloaded", cut="width")
    bench.store.cancel(claims[1].number, project=None)
    bench.workers.give_back("w1", [claims[1].number])
    bench.fill(5)
    clock.forward(1)
    assert bench.dispatch().released == 0
    for _ in range(20):
        wake = bench.dispatch().wake_seconds
        assert wake is not None
        assert wake <= LOOK_SECONDS
        clock.forward(wake)
    assert bench.lanes.get("default:m").in_flight == 10


def test_no_more_than_256_parked_projects_come_back_at_a_look(bench: Bench, clock: Clock) -> None:
    bench.fill(1)
    for i in range(300):
        bench.client.zadd(keys.backlog_parked("*:m"), {f"p{i}": 1})
        bench.client.sadd(f"{keys.PREFIX}project_parked:p{i}", "*:m")
    bench.dispatch()
    assert bench.client.zcard(keys.backlog_parked("*:m")) == 300 - 256
