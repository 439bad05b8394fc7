from sandbox.limits import Limits
from sandbox.ramp import Ramp


class Flight:
    """Calls in flight under a ramp, as a limiter keeps them."""

    def __init__(self, per_second: float | None) -> None:
        self.ramp, self.limits, self.calls = Ramp(), Limits(ramp_per_second=per_second), 0

    def add(self, count: int, *, now: float) -> int:
        """How many of so many calls are let in."""
        before = self.calls
        for _ in range(count):
            if self.ramp.wait_seconds(now=now, in_flight=self.calls, limits=self.limits) <= 0:
                self.ramp.rise(now=now, in_flight=self.calls, limits=self.limits)
                self.calls += 1
        return self.calls - before

    def end(self, count: int, *, now: float) -> None:
        for _ in range(count):
            self.ramp.fall(now=now, in_flight=self.calls)
            self.calls -= 1


def test_so_many_calls_are_added_in_any_second() -> None:
    flight = Flight(3)
    assert [flight.add(9, now=now) for now in (0.0, 0.5, 1.0, 1.9, 2.0)] == [3, 0, 3, 0, 3]


def test_a_broken_number_stretches_the_second() -> None:
    flight = Flight(0.5)
    assert [flight.add(2, now=now) for now in (0.0, 1.0, 2.0, 3.0)] == [1, 0, 1, 0]
    flight = Flight(2.5)
    assert [flight.add(9, now=now) for now in (0.0, 0.7, 0.8)] == [2, 0, 2]


def test_calls_that_ended_together_may_be_followed_at_once() -> None:
    flight = Flight(2)
    for now in (0.0, 1.0, 2.0):
        flight.add(2, now=now)
    flight.end(5, now=2.1)
    assert flight.add(9, now=2.2) == 5
    assert flight.add(9, now=3.0) == 2


def test_a_height_of_long_ago_counts_no_more() -> None:
    flight = Flight(2)
    for now in (0.0, 1.0, 2.0):
        flight.add(2, now=now)
    flight.end(6, now=3.0)
    assert flight.add(9, now=63.0) == 2


def test_without_a_ramp_all_come_at_once() -> None:
    flight = Flight(None)
    assert flight.add(500, now=0.0) == 500
