import pytest

from jobs.errors import OverLimit
from jobs.headroom import Headroom, Room, read_headroom
from tests.factories import new_job, unique
from tests.fakes.bench import COMPLETED, Bench, answered
from tests.fakes.clock import Clock

HALF_A_DAY = 12 * 3600


def submit(bench: Bench, tokens: int = 10) -> Headroom:
    return bench.store.submit(new_job(project="p", tokens=tokens), unique()).headroom


def test_a_project_without_limits_has_no_headroom_to_tell(bench: Bench) -> None:
    assert submit(bench) == Headroom()
    bench.projects.change("p", {"max_queued": 5, "cost_per_day": 1.0, "max_in_flight": 1})
    assert submit(bench) == Headroom()


def test_requests_are_the_submits_that_are_left_of_the_minute(bench: Bench, clock: Clock) -> None:
    bench.projects.change("p", {"submits_per_minute": 6})
    assert submit(bench).requests == Room(limit=6, remaining=5, reset_seconds=10.0)
    assert submit(bench).requests == Room(limit=6, remaining=4, reset_seconds=20.0)
    clock.forward(15)
    assert submit(bench).requests == Room(limit=6, remaining=4, reset_seconds=15.0)


@pytest.mark.parametrize("limit", [1, 7, 11, 60, 97, 1000])
def test_every_submit_leaves_one_less(bench: Bench, clock: Clock, limit: int) -> None:
    bench.projects.change("p", {"submits_per_minute": limit})
    rooms = [submit(bench).requests for _ in range(min(limit, 100))]
    assert [room and room.remaining for room in rooms] == [limit - 1 - n for n in range(len(rooms))]


def test_tokens_are_what_is_neither_spent_nor_held_of_the_day(bench: Bench, clock: Clock) -> None:
    bench.projects.change("p", {"tokens_per_day": 1000})
    assert submit(bench, 100).tokens == Room(limit=1000, remaining=900, reset_seconds=pytest.approx(HALF_A_DAY, abs=1))
    bench.beat("w1")
    bench.dispatch()
    (claim,) = bench.claim()
    bench.runs().finish(claim, COMPLETED, answered(30))
    room = submit(bench, 1).tokens
    assert room is not None
    assert room.remaining == 969


@pytest.mark.parametrize(("day", "month", "limit"), [(100, 1000, 100), (1000, 100, 100)])
def test_of_day_and_month_the_one_with_less_left_counts(
    bench: Bench, clock: Clock, day: int, month: int, limit: int
) -> None:
    bench.projects.change("p", {"tokens_per_day": day, "tokens_per_month": month})
    room = submit(bench, 1).tokens
    assert room is not None
    assert (room.limit, room.remaining) == (limit, limit - 1)
    assert (room.reset_seconds > 86_400) is (month < day)


def test_a_project_that_overspent_has_nothing_left(bench: Bench, clock: Clock) -> None:
    bench.projects.change("p", {"tokens_per_day": 100})
    bench.runs().finish(bench.run_one(project="p"), COMPLETED, answered(150))
    with pytest.raises(OverLimit) as caught:
        submit(bench)
    assert caught.value.headroom.tokens is not None
    assert caught.value.headroom.tokens.remaining == 0


def test_a_refusal_tells_the_headroom_too(bench: Bench, clock: Clock) -> None:
    bench.projects.change("p", {"submits_per_minute": 1, "tokens_per_day": 50})
    submit(bench)
    with pytest.raises(OverLimit) as caught:
        submit(bench)
    assert caught.value.headroom.requests == Room(limit=1, remaining=0, reset_seconds=60.0)
    assert caught.value.headroom.tokens is not None
    assert caught.value.headroom.tokens.remaining == 40


@pytest.mark.parametrize("text", [b"{}", b"[]"])
def test_an_empty_table_of_lua_is_no_headroom(text: bytes) -> None:
    assert read_headroom(text) == Headroom()


def test_times_are_told_in_milliseconds_and_read_in_seconds() -> None:
    read = read_headroom(b'{"requests": {"limit": 5, "remaining": 2, "reset": 1500}}')
    assert read == Headroom(requests=Room(limit=5, remaining=2, reset_seconds=1.5))
