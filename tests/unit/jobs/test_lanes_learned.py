"""What a lane learns from refusals, and how it forgets it."""

from itertools import pairwise

import pytest

from jobs import keys
from jobs.claims import Claim
from jobs.runs import Cut
from tests.fakes.bench import ANSWERED, COMPLETED, UNSENT, Bench, answered
from tests.fakes.clock import Clock

LANE = "default:m"


def refuse(bench: Bench, claim: Claim, *, cut: Cut = "requests", pause: float = 0.0, told: int | None = None) -> None:
    """The upstream refuses the call, and its job goes back."""
    bench.runs().throttle(claim, pause_seconds=pause, reason="rate_limited", cut=cut, told_limit=told)
    bench.runs().snooze(claim, UNSENT, delay_seconds=600, reason="rate_limited")


def let_in(bench: Bench, clock: Clock, count: int) -> list[Claim]:
    """As many calls, all under way, let in as soon as the lane allows."""
    bench.fill(count)
    claims: list[Claim] = []
    while len(claims) < count:
        wake = bench.dispatch().wake_seconds
        claims += bench.claim()
        clock.forward(wake or 0.0)
    return claims


def end(bench: Bench, claims: list[Claim]) -> None:
    for claim in claims:
        bench.runs().finish(claim, COMPLETED, ANSWERED)


def rate(bench: Bench) -> float | None:
    """What holds now, after the dispatcher has looked."""
    bench.fill(1)
    bench.dispatch()
    end(bench, bench.claim())
    return bench.lanes.get(LANE).requests_per_minute


def learned(bench: Bench, kind: str = "requests") -> float | None:
    value = bench.client.hget(keys.lane(LANE), f"{kind}_learned")
    return float(value) if value is not None else None


def paused_seconds(bench: Bench, clock: Clock) -> float:
    until = bench.lanes.get(LANE).paused_until
    return 0.0 if until is None else until - clock.seconds()


def test_the_first_refusal_takes_three_tenths_of_the_rate(bench: Bench, clock: Clock) -> None:
    bench.limit(requests_per_minute=600)
    (claim,) = bench.run_all()
    refuse(bench, claim)
    assert learned(bench) == pytest.approx(420)
    clock.forward(1)
    assert rate(bench) == pytest.approx(420, rel=0.01)
    state = bench.lanes.get(LANE)
    assert (state.state, state.limits.requests_per_minute) == ("slowed", 600)


def test_the_rate_of_tokens_is_learned_by_itself(bench: Bench, clock: Clock) -> None:
    bench.limit(requests_per_minute=600, tokens_per_minute=100_000)
    (claim,) = bench.run_all()
    refuse(bench, claim, cut="tokens")
    assert (learned(bench, "tokens"), learned(bench)) == (pytest.approx(70_000), None)


def test_a_limit_that_the_upstream_tells_is_taken_at_its_word(bench: Bench, clock: Clock) -> None:
    bench.limit(requests_per_minute=600)
    (claim,) = bench.run_all()
    refuse(bench, claim, told=90)
    assert learned(bench) == 90
    clock.forward(1)
    assert rate(bench) == pytest.approx(90, rel=0.01)


@pytest.mark.parametrize("told", [0, 600, 10_000])
def test_a_told_limit_that_explains_nothing_counts_as_none(bench: Bench, clock: Clock, told: int) -> None:
    bench.limit(requests_per_minute=600)
    (claim,) = bench.run_all()
    refuse(bench, claim, told=told)
    assert learned(bench) == pytest.approx(420)


def test_a_volley_of_refusals_counts_once(bench: Bench, clock: Clock) -> None:
    bench.limit(requests_per_minute=600, burst=100)
    claims = bench.run_all(20)
    for claim in claims[:10]:
        refuse(bench, claim)
    clock.forward(5)
    for claim in claims[10:]:
        refuse(bench, claim)
    assert learned(bench) == pytest.approx(420)
    assert [line for line in bench.dispatch().changes if "requests_per_minute" in line] == [
        f"{LANE}: requests_per_minute is 420 for now: rate_limited"
    ]


def test_what_was_let_in_before_the_last_cut_tells_nothing_however_late_it_is_refused(
    bench: Bench, clock: Clock
) -> None:
    bench.limit(requests_per_minute=600, burst=100)
    first, stale = bench.run_all(2)
    clock.forward(0.2)
    refuse(bench, first)
    before = bench.client.hgetall(keys.lane(LANE))
    clock.forward(40)
    refuse(bench, stale)
    after = bench.client.hgetall(keys.lane(LANE))
    for name in (b"requests_learned", b"requests_learned_at", b"cut_at", b"streak"):
        assert before[name] == after[name]


def test_a_stale_refusal_that_names_a_time_still_pauses_the_lane(bench: Bench, clock: Clock) -> None:
    first, stale = bench.run_all(2)
    refuse(bench, first)
    refuse(bench, stale, pause=30)
    assert paused_seconds(bench, clock) == pytest.approx(30, abs=0.01)


def test_a_refusal_of_what_was_let_in_since_cuts_again(bench: Bench, clock: Clock) -> None:
    bench.limit(requests_per_minute=600)
    (claim,) = bench.run_all()
    refuse(bench, claim)
    clock.forward(2)
    claims = let_in(bench, clock, 12)
    end(bench, claims[:-1])
    refuse(bench, claims[-1])
    assert learned(bench) == pytest.approx(0.7 * 420, rel=0.02)


def test_where_nothing_came_through_since_the_cut_a_window_is_full_and_what_went_in_is_its_size(
    bench: Bench, clock: Clock
) -> None:
    bench.limit(requests_per_minute=1000)
    claims = let_in(bench, clock, 301)
    refuse(bench, claims[-1])
    assert learned(bench) == pytest.approx(700)
    clock.forward(1)
    (probe,) = let_in(bench, clock, 1)
    clock.forward(1)
    refuse(bench, probe)
    assert learned(bench) == pytest.approx(300, abs=2)


def test_where_nothing_came_through_though_little_was_tried_the_rate_is_not_the_reason(
    bench: Bench, clock: Clock
) -> None:
    bench.limit(requests_per_minute=1000)
    claims = let_in(bench, clock, 30)
    refuse(bench, claims[-1])
    clock.forward(1)
    (probe,) = let_in(bench, clock, 1)
    clock.forward(1)
    refuse(bench, probe)
    assert learned(bench) == pytest.approx(700)


def test_after_a_calm_time_a_refusal_takes_little(bench: Bench, clock: Clock) -> None:
    bench.limit(requests_per_minute=600)
    (claim,) = bench.run_all()
    refuse(bench, claim, told=300)
    clock.forward(1)
    end(bench, let_in(bench, clock, 330))
    before = rate(bench)
    assert before is not None
    claims = let_in(bench, clock, 1)
    clock.forward(1)
    refuse(bench, claims[0])
    value = learned(bench)
    assert value is not None
    assert 0.8 * before < value <= 0.96 * before


def test_a_long_told_pause_after_little_traffic_cuts_deeper(bench: Bench, clock: Clock) -> None:
    bench.limit(requests_per_minute=600)
    (claim,) = bench.run_all()
    refuse(bench, claim, pause=40)
    assert learned(bench) == pytest.approx(180)


def test_no_lesson_goes_below_one_a_minute(bench: Bench, clock: Clock) -> None:
    bench.limit(requests_per_minute=1)
    (claim,) = bench.run_all()
    refuse(bench, claim)
    assert learned(bench) in (None, 1.0)


def test_a_lane_without_a_rate_learns_one_from_what_it_let_in(bench: Bench, clock: Clock) -> None:
    claims = bench.run_all(200)
    refuse(bench, claims[0])
    assert learned(bench) == 199
    clock.forward(1)
    assert rate(bench) == pytest.approx(199, rel=0.01)
    assert bench.lanes.get(LANE).limits.requests_per_minute is None


def test_one_refusal_of_the_first_call_does_not_close_a_lane_without_a_rate_for_an_hour(
    bench: Bench, clock: Clock
) -> None:
    (claim,) = bench.run_all()
    refuse(bench, claim)
    bench.fill(30)
    start, released = clock.seconds(), 0
    while released < 30 and clock.seconds() < start + 120:
        done = bench.dispatch()
        released += done.released
        end(bench, bench.claim())
        clock.forward(done.wake_seconds or 0.0)
    assert released >= 20, "so little traffic says nothing about a rate"


def test_a_lane_without_a_rate_of_tokens_learns_one_too(bench: Bench, clock: Clock) -> None:
    bench.fill(20, tokens=500)
    bench.dispatch()
    claims = bench.claim()
    refuse(bench, claims[0], cut="tokens")
    assert learned(bench, "tokens") == pytest.approx(10_000, rel=0.06)


@pytest.mark.parametrize("limits", [{"requests_per_minute": 600}, {}])
def test_what_was_learned_grows_back_ever_faster_and_is_forgotten_in_the_end(
    bench: Bench, clock: Clock, limits: dict[str, int]
) -> None:
    bench.limit(**limits)
    claims = bench.run_all(6)
    refuse(bench, claims[0], told=300)
    seen = []
    for _ in range(40):
        clock.forward(30)
        found = rate(bench)
        if learned(bench) is None:
            break
        assert found is not None
        seen.append(found)
    assert learned(bench) is None
    assert rate(bench) == limits.get("requests_per_minute")
    assert bench.lanes.get(LANE).state == "open"
    steps = [after - before for before, after in pairwise(seen)]
    assert all(step > 0 for step in steps)
    assert steps == sorted(steps)
    assert seen[0] < 1.1 * 300
    assert seen[-1] < limits.get("requests_per_minute", 10 * 300)


def test_the_line_of_a_full_recovery_is_told_once(bench: Bench, clock: Clock) -> None:
    bench.limit(requests_per_minute=600)
    (claim,) = bench.run_all()
    refuse(bench, claim)
    bench.dispatch()
    clock.forward(3600)
    bench.fill(1)
    assert bench.dispatch().changes == [f"{LANE}: requests_per_minute is what it was set to again"]
    bench.fill(1)
    assert bench.dispatch().changes == []


@pytest.mark.parametrize("cut", ["width"])
def test_an_overloaded_upstream_gets_fewer_calls_at_a_time(bench: Bench, clock: Clock, cut: Cut) -> None:
    claims = bench.run_all(10)
    bench.runs().throttle(claims[0], pause_seconds=0, reason="overloaded", cut=cut)
    clock.forward(1)
    bench.fill(10)
    assert (bench.dispatch().released, bench.blocked()) == (0, "in_flight")
    assert bench.lanes.get(LANE).width == 7
    end(bench, claims[:4])
    assert bench.dispatch().released == 1


def test_the_width_grows_back_and_its_lesson_is_forgotten(bench: Bench, clock: Clock) -> None:
    bench.limit(in_flight=10)
    claims = bench.run_all(10)
    bench.runs().throttle(claims[0], pause_seconds=0, reason="overloaded", cut="width")
    end(bench, claims)
    widths = []
    for _ in range(10):
        clock.forward(60)
        bench.fill(1)
        bench.dispatch()
        end(bench, bench.claim())
        widths.append(bench.lanes.get(LANE).width)
    assert widths == sorted(widths)
    assert (widths[0] < 10, widths[-1], learned(bench, "width")) == (True, 10, None)


def test_one_call_at_a_time_is_always_left(bench: Bench, clock: Clock) -> None:
    (claim,) = bench.run_all()
    bench.runs().throttle(claim, pause_seconds=0, reason="overloaded", cut="width")
    end(bench, [claim])
    clock.forward(1)
    bench.fill(3)
    assert bench.dispatch().released == 1


def test_a_second_overload_after_a_calm_time_takes_a_tenth(bench: Bench, clock: Clock) -> None:
    claims = bench.run_all(20)
    bench.runs().throttle(claims[0], pause_seconds=0, reason="overloaded", cut="width")
    clock.forward(40)
    end(bench, claims)
    bench.fill(20)
    bench.dispatch()
    claims = bench.claim()
    bench.runs().throttle(claims[0], pause_seconds=0, reason="overloaded", cut="width")
    assert learned(bench, "width") == int(0.9 * len(claims))


def test_pauses_double_while_one_follows_the_other(bench: Bench, clock: Clock) -> None:
    bench.limit(requests_per_minute=600)
    pauses = []
    for _ in range(9):
        (claim,) = let_in(bench, clock, 1)
        clock.forward(1.001)
        refuse(bench, claim)
        pauses.append(paused_seconds(bench, clock))
        clock.forward(pauses[-1])
    assert pauses == pytest.approx([0.5, 1, 2, 4, 8, 16, 32, 60, 60], abs=0.01)


def test_after_a_quiet_time_pauses_are_short_again(bench: Bench, clock: Clock) -> None:
    bench.limit(requests_per_minute=600)
    for _ in range(3):
        (claim,) = bench.run_all()
        refuse(bench, claim)
        clock.forward(paused_seconds(bench, clock) + 1)
    clock.forward(30)
    (claim,) = bench.run_all()
    refuse(bench, claim)
    assert paused_seconds(bench, clock) == pytest.approx(0.5, abs=0.01)


def test_a_told_pause_longer_than_ones_own_is_kept(bench: Bench, clock: Clock) -> None:
    (claim,) = bench.run_all()
    refuse(bench, claim, pause=42)
    assert paused_seconds(bench, clock) == pytest.approx(42, abs=0.01)


def test_a_pause_alone_teaches_nothing(bench: Bench, clock: Clock) -> None:
    bench.limit(requests_per_minute=600)
    (claim,) = bench.run_all()
    bench.runs().throttle(claim, pause_seconds=1, reason="rate_limit_requests", cut="pause")
    assert (learned(bench), paused_seconds(bench, clock)) == (None, pytest.approx(1, abs=0.01))
    assert bench.dispatch().changes == []


def test_a_refused_call_is_not_counted_as_let_in(bench: Bench, clock: Clock) -> None:
    claims = bench.run_all(5)
    assert bench.lanes.get(LANE).requests_last_minute == 5
    refuse(bench, claims[0])
    assert bench.lanes.get(LANE).requests_last_minute == 4


def test_a_lesson_outlives_the_workers_that_learned_it(bench: Bench, clock: Clock) -> None:
    bench.limit(requests_per_minute=600)
    (claim,) = bench.run_all()
    refuse(bench, claim)
    bench.workers.leave("w1")
    bench.beat("w2")
    clock.forward(1)
    bench.submit(model="m")
    bench.dispatch()
    assert bench.lanes.get(LANE).requests_per_minute == pytest.approx(420, rel=0.01)


@pytest.mark.parametrize("upstream", [60, 150])
def test_a_lane_finds_the_limit_of_an_upstream_that_tells_nothing(bench: Bench, clock: Clock, upstream: int) -> None:
    """An upstream with a sliding window of its own, set to far less than the limits file says."""
    bench.limit(requests_per_minute=1200)
    bench.fill(2500)
    taken: list[float] = []
    refused: list[float] = []
    start = clock.seconds()
    while clock.seconds() < start + 900:
        wake = bench.dispatch().wake_seconds
        for claim in bench.claim():
            now = clock.seconds()
            if sum(now - 60 < time for time in taken) >= upstream:
                refused.append(now)
                bench.runs().throttle(claim, pause_seconds=1, reason="rate_limited", cut="requests")
                bench.runs().snooze(claim, UNSENT, delay_seconds=0, reason="rate_limited")
            else:
                taken.append(now)
                bench.runs().finish(claim, COMPLETED, answered(1))
        assert wake is not None
        clock.forward(max(wake, 0.01))
    late = start + 300
    assert sum(time >= late for time in taken) >= 0.8 * upstream * 10
    assert sum(time >= late for time in refused) <= 0.1 * upstream * 10


def test_one_job_that_is_refused_again_and_again_does_not_hold_up_the_others(bench: Bench, clock: Clock) -> None:
    bench.limit(requests_per_minute=600, in_flight=1)
    large, *small = bench.fill(21)
    refusals = 0
    for _ in range(100):
        wake = bench.dispatch().wake_seconds
        for claim in bench.claim():
            if claim.number == large:
                refusals += 1
                bench.runs().throttle(claim, pause_seconds=1, reason="rate_limited", cut="pause")
                bench.runs().snooze(claim, UNSENT, delay_seconds=0, reason="rate_limited")
            else:
                bench.runs().finish(claim, COMPLETED, ANSWERED)
        if all(bench.job(number).finished_at for number in small):
            break
        clock.forward(min(wake or 0.1, 1.0))
    assert [bench.job(number).status for number in small] == 20 * ["completed"]
    assert refusals <= 7
