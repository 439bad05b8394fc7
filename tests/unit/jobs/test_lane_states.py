import pytest

from jobs import keys
from jobs.accounts import Account
from jobs.errors import LaneNotFound
from jobs.lane_states import LaneStates
from jobs.lanes import backlog_of, lane_of
from jobs.limits import LaneLimits, Limits
from tests.fakes.bench import ANSWERED, COMPLETED, Bench
from tests.fakes.clock import Clock

LANE = "default:m"
ODD = ["a:b", "a/b", "a b", ":", "模型 é", "🙂", "m\n", "*:m", "{respool}:lanes", "'\"\\"]


def test_all_lanes_are_those_used_or_set_or_named_by_the_file(bench: Bench, clock: Clock) -> None:
    bench.limits = Limits(
        accounts=(
            Account(name="one", url="https://example.test"),
            Account(name="two", url="https://example.test", models=("x", "y")),
        ),
        lanes={"one:z": LaneLimits(in_flight=1)},
    )
    bench.run_all()
    bench.lanes.pause("one:set", seconds=None, reason="", by="me")
    assert [lane.name for lane in bench.lanes.all()] == ["one:m", "one:set", "one:z", "two:x", "two:y"]


def test_a_lane_that_was_not_used_for_a_day_is_no_longer_listed(bench: Bench, clock: Clock) -> None:
    bench.run_all()
    clock.forward(86_000)
    assert [lane.name for lane in bench.lanes.all()] == [LANE]
    clock.forward(500)
    assert bench.lanes.all() == []
    assert not bench.client.exists(keys.LANES)


def test_a_lane_whose_account_is_gone_from_the_file_is_not_listed(bench: Bench, clock: Clock) -> None:
    bench.run_all()
    bench.limits = Limits(accounts=(Account(name="one", url="https://example.test"),))
    assert bench.lanes.all() == []


@pytest.mark.parametrize("name", ["", "m", "default", "default:", ":m", "other:m", "*:m", "two:n"])
def test_what_names_no_lane_is_not_found(bench: Bench, name: str) -> None:
    if name == "two:n":
        bench.limits = Limits(accounts=(Account(name="two", url="https://example.test", models=("m",)),))
    lanes = bench.lanes
    for act in (
        lambda: lanes.get(name),
        lambda: lanes.change(name, {"in_flight": 1}, reason="", by="me"),
        lambda: lanes.pause(name, seconds=1, reason="", by="me"),
        lambda: lanes.resume(name, reason="", by="me"),
    ):
        with pytest.raises(LaneNotFound):
            act()
    assert bench.all_keys() == set()


def test_jobs_that_may_go_there_are_counted_wherever_they_wait(bench: Bench, clock: Clock) -> None:
    bench.limits = Limits(accounts=tuple(Account(name=name, url="https://example.test") for name in ("one", "two")))
    bench.projects.change("p", {"max_in_flight": 1})
    bench.lanes.pause("one:m", seconds=None, reason="", by="me")
    bench.lanes.pause("two:m", seconds=None, reason="", by="me")
    bench.fill(3)
    bench.fill(2, project="p")
    bench.fill(4, backlog=backlog_of("m", account="two"))
    assert [(lane.name, lane.waiting) for lane in bench.lanes.all()] == [("one:m", 5), ("two:m", 9)]
    bench.lanes.resume("one:m", reason="", by="me")
    bench.dispatch()
    assert bench.lanes.get("one:m").waiting == 1, "one whose project is parked waits, too"


def test_a_change_holds_at_once_and_is_shown(bench: Bench, clock: Clock) -> None:
    bench.limit(in_flight=1)
    bench.fill(5)
    bench.dispatch()
    state = bench.lanes.change(LANE, {"in_flight": 3, "requests_per_minute": 600}, reason="they allow it", by="me")
    assert (state.limits.in_flight, state.width, state.changed) == (3, 3, ("requests_per_minute", "in_flight"))
    done = bench.dispatch()
    assert (done.released, done.changes) == (
        2, [f"{LANE}: in_flight = 3, requests_per_minute = 600 (by me: they allow it)"],
    )  # fmt: skip


def test_a_change_adds_to_the_one_before_and_none_takes_a_field_back(bench: Bench, clock: Clock) -> None:
    bench.limit(in_flight=1, tokens_per_minute=100)
    bench.lanes.change(LANE, {"in_flight": 3}, reason="", by="me")
    bench.lanes.change(LANE, {"tokens_per_minute": 500, "ramp_per_second": 2.5}, reason="", by="me")
    state = bench.lanes.change(LANE, {"in_flight": None}, reason="", by="me")
    assert state.changed == ("tokens_per_minute", "ramp_per_second")
    assert state.limits == LaneLimits(in_flight=1, tokens_per_minute=500, ramp_per_second=2.5)
    bench.beat("w1")
    assert bench.dispatch().changes[-1] == f"{LANE}: in_flight = as in the file (by me)"


def test_what_was_set_outlives_the_file_and_the_workers(bench: Bench, clock: Clock) -> None:
    bench.lanes.change(LANE, {"in_flight": 2}, reason="", by="me")
    bench.limit(in_flight=50)
    bench.fill(5)
    assert bench.dispatch().released == 2
    assert bench.client.ttl(keys.lane_settings(LANE)) == -1


def test_a_change_of_one_lane_changes_no_other(bench: Bench, clock: Clock) -> None:
    bench.lanes.change(LANE, {"in_flight": 1}, reason="", by="me")
    bench.fill(3, model="n")
    assert bench.dispatch().released == 3


def test_limits_that_do_not_fit_together_are_refused_and_nothing_changes(bench: Bench, clock: Clock) -> None:
    bench.limit(requests_per_minute=100)
    bench.lanes.change(LANE, {"burst": 40}, reason="", by="me")
    before = bench.lanes.get(LANE)
    for values in ({"burst": 100}, {"requests_per_minute": 40}):
        with pytest.raises(ValueError, match="burst must be smaller"):
            bench.lanes.change(LANE, values, reason="", by="me")
    assert bench.lanes.get(LANE) == before


def test_a_burst_of_the_file_does_not_follow_a_rate_that_was_set(bench: Bench, clock: Clock) -> None:
    bench.limit(requests_per_minute=600, burst=100)
    state = bench.lanes.change(LANE, {"requests_per_minute": 60}, reason="", by="me")
    assert state.limits.burst is None
    bench.fill(20)
    assert bench.dispatch().released == 1


def test_a_paused_lane_starts_nothing_and_what_runs_goes_on(bench: Bench, clock: Clock) -> None:
    (claim,) = bench.run_all()
    state = bench.lanes.pause(LANE, seconds=None, reason="maintenance", by="me")
    assert (state.state, state.reason, state.paused_until, state.stopped) == ("paused", "maintenance", None, True)
    bench.fill(2)
    done = bench.dispatch()
    assert (done.released, done.wake_seconds) == (0, 30)
    assert done.changes == [f"{LANE}: paused until resumed (by me: maintenance)"]
    assert bench.runs().finish(claim, COMPLETED, ANSWERED) == "finished"
    clock.forward(10 * 86_400)
    bench.beat("w1")
    assert bench.dispatch().released == 0
    state = bench.lanes.resume(LANE, reason="done", by="me")
    assert (state.state, state.stopped) == ("open", False)
    done = bench.dispatch()
    assert (done.released, done.changes) == (2, [f"{LANE}: resumed (by me: done)"])


def test_a_pause_for_a_time_ends_by_itself(bench: Bench, clock: Clock) -> None:
    state = bench.lanes.pause(LANE, seconds=60, reason="", by="me")
    assert (state.reason, state.stopped) == ("paused by hand", False)
    assert state.paused_until == pytest.approx(clock.seconds() + 60, abs=1)
    bench.fill(2)
    done = bench.dispatch()
    assert (done.released, done.changes) == (0, [f"{LANE}: paused for 60 s (by me)"])
    clock.forward(59)
    assert bench.dispatch().wake_seconds == pytest.approx(1, abs=0.01)
    clock.forward(1)
    assert bench.dispatch().released == 2
    assert bench.lanes.get(LANE).state == "open"


def test_a_resume_also_ends_what_the_upstream_asked_for(bench: Bench, clock: Clock) -> None:
    (claim,) = bench.run_all()
    bench.runs().throttle(claim, pause_seconds=3600, reason="account_overdue", cut="account")
    bench.fill(2)
    assert bench.dispatch().released == 0
    bench.lanes.resume(LANE, reason="", by="me")
    assert bench.dispatch().released == 2


def test_a_pause_of_one_account_leaves_the_backlog_to_the_other(bench: Bench, clock: Clock) -> None:
    bench.limits = Limits(accounts=tuple(Account(name=name, url="https://example.test") for name in ("one", "two")))
    bench.lanes.pause("one:m", seconds=None, reason="", by="me")
    bench.fill(2)
    assert bench.dispatch().released == 2
    assert bench.lanes.get("two:m").in_flight == 2


def test_lines_come_oldest_first_and_once(bench: Bench, clock: Clock) -> None:
    for model in ("a", "b", "c"):
        bench.lanes.pause(lane_of(model), seconds=5, reason="x", by="me")
    assert [line.partition(" ")[0] for line in bench.dispatch().changes] == ["default:a:", "default:b:", "default:c:"]
    assert bench.dispatch().changes == []


def test_lines_that_nobody_reads_are_bounded(bench: Bench) -> None:
    for n in range(1010):
        bench.client.lpush(keys.PREFIX + "lane_changes", str(n))
    bench.lanes.pause(LANE, seconds=5, reason="x", by="me")
    assert bench.client.llen(keys.PREFIX + "lane_changes") == 1000
    assert bench.client.ttl(keys.PREFIX + "lane_changes") > 0


@pytest.mark.parametrize("model", ODD)
def test_a_model_may_have_any_name(bench: Bench, clock: Clock, model: str) -> None:
    bench.limits = Limits(
        accounts=(Account(name="default", url="https://example.test", models=(model, "m")),),
        lanes={lane_of(model): LaneLimits(in_flight=2)},
    )
    lane = lane_of(model)
    bench.fill(4, model=model)
    bench.fill(1)
    assert bench.dispatch().released == 3
    state = bench.lanes.get(lane)
    assert (state.name, state.account, state.model, state.in_flight, state.waiting) == (lane, "default", model, 2, 2)
    bench.lanes.change(lane, {"in_flight": 3}, reason="r", by="me")
    done = bench.dispatch()
    shown = lane.replace("\n", "?")
    assert (done.released, done.changes) == (1, [f"{shown}: in_flight = 3 (by me: r)"])
    bench.lanes.pause(lane, seconds=None, reason="p", by="me")
    bench.lanes.change(lane, {"in_flight": None}, reason="r", by="me")
    assert bench.dispatch().released == 0
    bench.lanes.resume(lane, reason="", by="me")
    bench.lanes.change(lane, {"in_flight": 9}, reason="r", by="me")
    assert bench.dispatch().released == 1
    assert {claim.lane for claim in bench.claim()} == {lane, "default:m"}
    assert lane in [each.name for each in LaneStates(bench.client, bench.limits).all()]


def test_a_line_for_the_log_is_one_line_whatever_a_caller_gives_as_a_reason(bench: Bench, clock: Clock) -> None:
    bench.lanes.change(LANE, {"in_flight": 1}, reason="a\nb\x1b[31m\u2028", by="m\re")
    assert bench.dispatch().changes == [f"{LANE}: in_flight = 1 (by m?e: a?b?[31m?)"]
