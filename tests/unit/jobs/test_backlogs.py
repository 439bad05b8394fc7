import pytest

from jobs.accounts import Account
from jobs.backlogs import MOST_PROJECTS, Backlog, read_backlog
from jobs.limits import LaneLimits, Limits
from jobs.turns import Share
from tests.fakes.bench import ANSWERED, COMPLETED, Bench
from tests.fakes.clock import Clock

ACCOUNTS = tuple(Account(name=name, url="https://example.test") for name in ("one", "two"))


def read(bench: Bench, name: str = "*:m") -> Backlog:
    return read_backlog(bench.client, bench.limits, name)


def test_a_backlog_that_nobody_used_is_empty(bench: Bench) -> None:
    found = read(bench)
    assert (found.shares, found.unseen, found.blocked, found.service) == ({}, 0, "", 0.0)
    assert (found.workers, found.free_slots, found.outlook(tokens=1)) == (0, 0, None)


def test_each_project_stands_with_its_jobs_its_weight_and_what_it_got(bench: Bench, clock: Clock) -> None:
    bench.projects.change("p", {"weight": 2.0})
    bench.limit(in_flight=3)
    bench.fill(5, project="p")
    bench.fill(2, project="q")
    bench.dispatch()
    assert read(bench).shares == {
        "p": Share(service=1.0, weight=2.0, waiting=3), "q": Share(service=1.0, weight=1.0, waiting=1)
    }  # fmt: skip
    assert read(bench).blocked == "in_flight"


def test_one_who_does_not_wait_here_would_start_level_with_the_one_served_last(bench: Bench, clock: Clock) -> None:
    bench.limit(in_flight=4)
    bench.fill(6, project="p")
    bench.dispatch()
    assert read(bench).share_of("new", weight=3.0) == Share(service=3.0, weight=3.0, waiting=0)


def test_slots_are_those_that_live_workers_have_free(bench: Bench, clock: Clock) -> None:
    bench.fill(3, slots=5)
    bench.dispatch()
    bench.beat("w2", slots=4)
    bench.beat("w3", slots=9)
    bench.kill("w3")
    found = read(bench)
    assert (found.workers, found.free_slots) == (2, 6)
    outlook = found.outlook(tokens=1)
    assert outlook is not None
    assert (outlook.slots, outlook.busy) == (9, 3)


def test_an_outlook_adds_up_the_lanes_of_all_accounts_that_are_not_stopped(bench: Bench, clock: Clock) -> None:
    limits = {"one:m": LaneLimits(in_flight=2, requests_per_minute=60), "two:m": LaneLimits(in_flight=3)}
    bench.limits = Limits(accounts=ACCOUNTS, lanes=limits)
    bench.beat("w1", slots=100)
    outlook = read(bench).outlook(tokens=1)
    assert outlook is not None
    assert (outlook.slots, outlook.starts_per_second) == (5, None)
    bench.lanes.pause("two:m", seconds=None, reason="", by="me")
    outlook = read(bench).outlook(tokens=1)
    assert outlook is not None
    assert (outlook.slots, outlook.starts_per_second) == (2, pytest.approx(1))
    bench.lanes.pause("one:m", seconds=None, reason="", by="me")
    assert read(bench).outlook(tokens=1) is None


def test_a_pinned_backlog_has_one_lane_and_one_that_nobody_serves_has_none(bench: Bench) -> None:
    bench.limits = Limits(accounts=ACCOUNTS)
    assert [lane.name for lane in read(bench, "two:m").lanes] == ["two:m"]
    assert [lane.name for lane in read(bench).lanes] == ["one:m", "two:m"]
    assert read(bench, "three:m").lanes == []


def test_it_opens_when_the_first_of_its_lanes_does(bench: Bench, clock: Clock) -> None:
    bench.limits = Limits(accounts=ACCOUNTS)
    bench.beat("w1")
    bench.lanes.pause("one:m", seconds=60, reason="", by="me")
    bench.lanes.pause("two:m", seconds=20, reason="", by="me")
    outlook = read(bench).outlook(tokens=1)
    assert outlook is not None
    assert outlook.opens_in_seconds == pytest.approx(20, abs=0.01)


def test_calls_of_all_lanes_tell_how_long_one_takes(bench: Bench, clock: Clock) -> None:
    bench.limits = Limits(accounts=ACCOUNTS, default=LaneLimits(in_flight=1))
    one, two = bench.run_all(2)
    clock.forward(10)
    bench.runs().finish(one, COMPLETED, ANSWERED)
    clock.forward(10)
    bench.runs().finish(two, COMPLETED, ANSWERED)
    outlook = read(bench).outlook(tokens=1)
    assert outlook is not None
    assert sorted(outlook.run_seconds) == pytest.approx([10, 20], abs=0.01)


def test_many_projects_are_not_all_read(bench: Bench, clock: Clock) -> None:
    for n in range(MOST_PROJECTS + 10):
        bench.submit(model="m", project=f"p{n}")
    found = read(bench)
    assert (len(found.shares), found.unseen) == (MOST_PROJECTS, 10)
    assert len(found.others("p0")) == MOST_PROJECTS + 10 - ("p0" in found.shares)
