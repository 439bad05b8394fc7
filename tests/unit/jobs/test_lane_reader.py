import pytest

from jobs.lane_reader import LaneReader, LaneState
from jobs.limits import LaneLimits, Limits
from tests.fakes.bench import ANSWERED, COMPLETED, UNSENT, Bench, answered
from tests.fakes.clock import Clock

LANE = "default:m"


def read(bench: Bench, name: str = LANE) -> LaneState:
    (state,) = LaneReader(bench.client, bench.limits).read([name])
    return state


def test_a_lane_that_nobody_used_is_open_with_the_limits_of_the_file(bench: Bench) -> None:
    bench.limits = Limits(models={"m": LaneLimits(requests_per_minute=60, in_flight=5)})
    assert read(bench) == LaneState(
        name=LANE, account="default", model="m", state="open", reason=None, paused_until=None,
        limits=LaneLimits(requests_per_minute=60, in_flight=5), changed=(), requests_per_minute=60.0,
        tokens_per_minute=None, width=5, in_flight=0, requests_last_minute=0, tokens_last_minute=0, run_seconds=[],
    )  # fmt: skip


def test_several_are_read_at_once_each_by_itself(bench: Bench, clock: Clock) -> None:
    bench.run_all(3)
    states = LaneReader(bench.client, bench.limits).read([LANE, "default:n"])
    assert [(state.name, state.in_flight) for state in states] == [(LANE, 3), ("default:n", 0)]
    assert LaneReader(bench.client, bench.limits).read([]) == []


def test_what_was_let_in_during_the_last_minute_is_counted(bench: Bench, clock: Clock) -> None:
    bench.run_all(3, tokens=100)
    clock.forward(30)
    bench.run_all(2, tokens=100)
    state = read(bench)
    assert (state.requests_last_minute, state.tokens_last_minute) == (5, 500)
    clock.forward(31)
    assert (read(bench).requests_last_minute, read(bench).tokens_last_minute) == (2, 200)
    clock.forward(60)
    assert (read(bench).requests_last_minute, read(bench).tokens_last_minute) == (0, 0)


def test_tokens_are_put_right_by_what_was_really_used(bench: Bench, clock: Clock) -> None:
    first, second = bench.run_all(2, tokens=100)
    bench.runs().finish(first, COMPLETED, answered(30))
    bench.runs().snooze(second, UNSENT, delay_seconds=60, reason="rate")
    assert read(bench).tokens_last_minute == 30


def test_how_long_the_latest_calls_took(bench: Bench, clock: Clock) -> None:
    assert (read(bench).run_seconds_p50, read(bench).run_seconds_p90) == (None, None)
    claims = bench.run_all(10)
    for claim in claims:
        clock.forward(1)
        bench.runs().finish(claim, COMPLETED, ANSWERED)
    state = read(bench)
    assert state.run_seconds_p50 == pytest.approx(6, abs=0.01)
    assert state.run_seconds_p90 == pytest.approx(10, abs=0.01)


def test_only_the_latest_calls_are_kept_and_those_that_were_no_answer_never(bench: Bench, clock: Clock) -> None:
    claims = bench.run_all(300)
    bench.dispatch()
    claims += bench.claim()
    for claim in claims[:10]:
        bench.runs().snooze(claim, UNSENT, delay_seconds=60, reason="rate")
    for claim in claims[10:]:
        bench.runs().finish(claim, COMPLETED, ANSWERED)
    assert len(read(bench).run_seconds) == 256


def test_starts_follow_the_tighter_of_the_rates(bench: Bench, clock: Clock) -> None:
    assert read(bench).starts_per_second(100) is None
    bench.limit(requests_per_minute=60)
    assert read(bench).starts_per_second(100) == 1
    bench.limit(requests_per_minute=60, tokens_per_minute=3000)
    assert read(bench).starts_per_second(100) == 0.5
    bench.run_all(1, tokens=10)
    assert read(bench).starts_per_second(100) == 1, "jobs here take ten tokens"


def test_a_pause_is_over_when_its_time_is(bench: Bench, clock: Clock) -> None:
    (claim,) = bench.run_all()
    bench.runs().throttle(claim, pause_seconds=30, reason="rate_limited", cut="pause")
    state = read(bench)
    assert (state.state, state.reason) == ("paused", "rate_limited")
    assert state.paused_until == pytest.approx(clock.seconds() + 30, abs=0.01)
    clock.forward(31)
    assert (read(bench).state, read(bench).reason, read(bench).paused_until) == ("open", None, None)


def test_a_lane_that_learned_less_than_is_set_is_slowed(bench: Bench, clock: Clock) -> None:
    bench.limit(requests_per_minute=600, tokens_per_minute=10_000, in_flight=50)
    (claim,) = bench.run_all()
    bench.runs().throttle(claim, pause_seconds=0, reason="rate_limited", cut="requests", told_limit=100)
    clock.forward(1)
    bench.fill(1)
    bench.dispatch()
    state = read(bench)
    assert (state.state, state.reason, state.tokens_per_minute, state.width) == ("slowed", "rate_limited", 10_000, 50)
    assert state.requests_per_minute == pytest.approx(100, rel=0.01)


def test_what_was_set_does_not_keep_a_lane_from_being_read_when_the_file_changes(bench: Bench) -> None:
    bench.limit(requests_per_minute=100)
    bench.lanes.change(LANE, {"burst": 40}, reason="", by="me")
    bench.limit(requests_per_minute=30)
    state = read(bench)
    assert state.limits.requests_per_minute == 30
    bench.fill(1)
    assert bench.dispatch().released == 1
