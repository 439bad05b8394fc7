import queue
from typing import cast

import pytest

from worker.session import WatchedConnection
from worker.webhooks.resting import Idle, Resting


class Connection:
    """As far as resting is concerned."""

    def __init__(self, *, since: float) -> None:
        self.rests_since = since
        self.closed = False

    def close(self) -> None:
        self.closed = True


def put(resting: Resting, *connections: Connection) -> None:
    for connection in connections:
        resting.put(cast(WatchedConnection, connection))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """It is second 100, unless a test says otherwise."""
    now = [100.0]
    monkeypatch.setattr("worker.webhooks.resting.monotonic", lambda: now[0])
    return now


@pytest.fixture
def idle(clock: list[float]) -> Idle:
    return Idle(most=4)


def test_the_latest_goes_first_and_an_empty_place_says_so(idle: Idle) -> None:
    resting = Resting(idle)
    first, second = Connection(since=99), Connection(since=100)
    put(resting, first, second)
    resting.put(None)
    assert (resting.qsize(), resting.get(), resting.get()) == (2, second, first)
    with pytest.raises(queue.Empty):
        resting.get()
    assert len(idle) == 0


def test_pools_do_not_get_each_other_s(idle: Idle) -> None:
    put(Resting(idle), Connection(since=100))
    with pytest.raises(queue.Empty):
        Resting(idle).get()


def test_those_that_rested_too_long_are_closed_when_another_comes_to_rest_anywhere(idle: Idle) -> None:
    one, other = Resting(idle), Resting(idle)
    old, young = Connection(since=90), Connection(since=99)
    put(one, old)
    put(other, young)
    assert (old.closed, young.closed) == (True, False)
    assert (one.qsize(), other.qsize()) == (0, 1)


def test_those_of_pools_that_are_used_no_more_are_closed_by_tidying(idle: Idle, clock: list[float]) -> None:
    connections = [Connection(since=100) for _ in range(3)]
    for connection in connections:
        put(Resting(idle), connection)
    idle.tidy()
    assert not any(connection.closed for connection in connections)
    clock[0] = 105.1
    idle.tidy()
    assert all(connection.closed for connection in connections)
    assert len(idle) == 0


def test_the_oldest_of_all_pools_makes_room(idle: Idle) -> None:
    places = [Resting(idle) for _ in range(3)]
    connections = [Connection(since=100) for _ in range(6)]
    for number, connection in enumerate(connections):
        put(places[number % 3], connection)
    assert [connection.closed for connection in connections] == [True, True, False, False, False, False]
    assert [place.qsize() for place in places] == [1, 1, 2]


def test_one_that_was_taken_is_not_closed(idle: Idle, clock: list[float]) -> None:
    resting, connection = Resting(idle), Connection(since=100)
    put(resting, connection)
    resting.get()
    clock[0] = 200.0
    idle.tidy()
    assert not connection.closed


def test_in_the_end_all_are_closed(idle: Idle) -> None:
    connections = [Connection(since=100), Connection(since=101)]
    put(Resting(idle), *connections)
    idle.clear()
    assert all(connection.closed for connection in connections)
