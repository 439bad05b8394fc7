"""How fast the calls in flight of a lane may grow."""

import pytest

from jobs import keys
from tests.fakes.bench import ANSWERED, COMPLETED, Bench
from tests.fakes.clock import Clock


def grow(bench: Bench, clock: Clock, *, seconds: float) -> list[tuple[float, int]]:
    """Dispatches whenever something may go: when (in seconds) and how many went."""
    start = clock.seconds()
    went = []
    while clock.seconds() < start + seconds:
        done = bench.dispatch()
        went.append((clock.seconds() - start, done.released))
        if done.wake_seconds is None:
            break
        clock.forward(max(done.wake_seconds, 0.001))
    return went


def most_in_a_second(went: list[tuple[float, int]]) -> int:
    return max(sum(count for time, count in went if start <= time < start + 1) for start, _ in went)


@pytest.mark.parametrize("ramp", [0.5, 1.0, 5.0, 15.0, 40.0])
def test_no_second_adds_more_calls_than_the_ramp_and_nearly_all_of_it_is_used(
    bench: Bench, clock: Clock, ramp: float
) -> None:
    bench.limit(ramp_per_second=ramp)
    bench.fill(round(12 * ramp) + 5, slots=10_000)
    went = grow(bench, clock, seconds=10)
    assert bench.blocked() == "ramp"
    assert most_in_a_second(went) <= max(1, ramp)
    assert sum(count for _, count in went) >= 0.85 * 10 * ramp


def test_a_lane_without_a_ramp_fills_at_once(bench: Bench, clock: Clock) -> None:
    bench.fill(200)
    assert bench.dispatch().released == 200


def test_a_call_that_takes_the_place_of_one_that_ended_is_free(bench: Bench, clock: Clock) -> None:
    bench.limit(ramp_per_second=5.0)
    bench.fill(100, slots=1000)
    grow(bench, clock, seconds=4)
    claims = bench.claim()
    bench.dispatch()
    claims += bench.claim()
    for claim in claims[:15]:
        bench.runs().finish(claim, COMPLETED, ANSWERED)
    assert 15 <= bench.dispatch().released <= 16
    assert bench.lanes.get("default:m").in_flight <= len(claims) + 1


def test_what_it_reached_sinks_again_as_fast_while_fewer_calls_are_made(bench: Bench, clock: Clock) -> None:
    bench.limit(ramp_per_second=5.0)
    bench.fill(60, slots=1000)
    grow(bench, clock, seconds=6)
    claims = bench.claim()
    for claim in claims:
        bench.runs().finish(claim, COMPLETED, ANSWERED)
    reached = len(claims)
    for number in bench.client.zrange(keys.backlog_jobs("*:m", "default"), 0, -1):
        bench.store.cancel(number.decode(), project=None)
    bench.dispatch()
    clock.forward(3)
    bench.fill(100, slots=1000)
    assert bench.dispatch().released == pytest.approx(reached - 15, abs=2)


def test_a_lane_that_was_idle_for_long_starts_from_nothing(bench: Bench, clock: Clock) -> None:
    bench.limit(ramp_per_second=5.0)
    bench.fill(20, slots=1000)
    grow(bench, clock, seconds=4)
    for claim in bench.claim():
        bench.runs().finish(claim, COMPLETED, ANSWERED)
    clock.forward(3600)
    bench.fill(100, slots=1000)
    assert bench.dispatch().released == 1


def test_the_dispatcher_says_when_the_next_may_go(bench: Bench, clock: Clock) -> None:
    bench.limit(ramp_per_second=5.0)
    bench.fill(3)
    done = bench.dispatch()
    assert (done.released, done.wake_seconds) == (1, pytest.approx(0.2, abs=0.01))


def test_the_width_bounds_what_the_ramp_lets_in(bench: Bench, clock: Clock) -> None:
    bench.limit(ramp_per_second=100.0, in_flight=12)
    bench.fill(50)
    grow(bench, clock, seconds=1)
    assert (bench.lanes.get("default:m").in_flight, bench.blocked()) == (12, "in_flight")
