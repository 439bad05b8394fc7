import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.meters import Bucket, Fixed, Meter, Rate, Sliding, new_meter

RATE = Rate(limit=3, window_seconds=60, held=2)


def let_in(meter: Meter, times: list[float], *, rate: Rate = RATE) -> list[float]:
    """Those of the times at which a call is let in."""
    came = []
    for now in times:
        if meter.wait_seconds(now=now, rate=rate) <= 0:
            meter.add(1, now=now, rate=rate)
            came.append(now)
    return came


@pytest.mark.parametrize(
    ("limiter", "came"),
    [
        ("sliding", [0, 10, 20, 60, 70]),  # the call of 0 is gone at 60, that of 10 at 70
        ("fixed", [0, 10, 20, 60, 65, 70]),  # a window begins at 60
        ("bucket", [0, 10, 20, 40, 60]),  # it holds 2, and one flows back in 20 s
    ],
)
def test_each_way_of_counting_lets_in_others(limiter: str, came: list[float]) -> None:
    times = [0.0, 10.0, 20.0, 30.0, 40.0, 60.0, 65.0, 70.0]
    assert let_in(new_meter(limiter), times) == came


@pytest.mark.parametrize(("meter", "wait"), [(Sliding(), 57.0), (Fixed(), 57.0), (Bucket(), 17.0)])
def test_waiting_as_long_as_told_is_enough_and_less_is_not(meter: Meter, wait: float) -> None:
    let_in(meter, [0.0] * 9)
    assert meter.wait_seconds(now=3.0, rate=RATE) == pytest.approx(wait)
    assert let_in(meter, [3.0 + wait - 0.01, 3.0 + wait + 0.01]) == [3.0 + wait + 0.01]


@pytest.mark.parametrize(("meter", "left"), [(Sliding(), 3), (Fixed(), 3), (Bucket(), 2)])
def test_what_is_left_goes_down_and_comes_back(meter: Meter, left: int) -> None:
    assert (meter.left(now=0.0, rate=RATE), meter.reset_seconds(now=0.0, rate=RATE)) == (left, 0.0)
    meter.add(1, now=0.0, rate=RATE)
    assert meter.left(now=0.0, rate=RATE) == left - 1
    reset = meter.reset_seconds(now=1.0, rate=RATE)
    assert 0 < reset <= 59
    assert meter.left(now=1.0 + reset, rate=RATE) == left


def test_a_window_of_the_fixed_kind_begins_with_the_first_call() -> None:
    meter = Fixed()
    assert let_in(meter, [50.0, 51.0, 52.0, 109.0, 110.0]) == [50.0, 51.0, 52.0, 110.0]


@pytest.mark.parametrize("meter", [Sliding(), Fixed()])
def test_a_limit_that_is_halved_counts_what_came_before(meter: Meter) -> None:
    let_in(meter, [0.0, 1.0, 2.0])
    half = Rate(limit=1, window_seconds=60)
    assert let_in(meter, [59.0, 61.0], rate=half) == ([61.0] if isinstance(meter, Fixed) else [])
    assert meter.wait_seconds(now=61.5, rate=half) > 0


def test_large_amounts_may_go_beyond_the_limit_once() -> None:
    meter, rate = Sliding(), Rate(limit=100, window_seconds=60)
    meter.add(99, now=0.0, rate=rate)
    assert meter.wait_seconds(now=1.0, rate=rate) == 0
    meter.add(500, now=1.0, rate=rate)
    assert meter.wait_seconds(now=2.0, rate=rate) == 59.0
    assert meter.left(now=2.0, rate=rate) == 0
    assert meter.left(now=61.0, rate=rate) == 100


@given(st.lists(st.floats(min_value=0, max_value=300), max_size=60).map(sorted))
def test_no_sliding_window_holds_more_than_the_limit(times: list[float]) -> None:
    came = let_in(Sliding(), times)
    assert all(later - earlier >= 60 for earlier, later in zip(came, came[3:], strict=False))
