import random
from dataclasses import replace
from heapq import heapify, heapreplace

import pytest

from jobs.eta import Eta, Outlook, estimate_start

IDLE = Outlook(slots=10, busy=0, starts_per_second=None, opens_in_seconds=0.0, run_seconds=())
BUSY = Outlook(slots=1, busy=1, starts_per_second=None, opens_in_seconds=0.0, run_seconds=(10.0,) * 100)


def start(outlook: Outlook, ahead: int, at_most: int | None = None) -> Eta:
    found = estimate_start(outlook, ahead=ahead, ahead_at_most=ahead if at_most is None else at_most)
    assert found is not None
    return found


def test_where_a_slot_is_free_a_job_starts_at_once() -> None:
    assert start(IDLE, 9).p50_seconds == 0
    assert start(IDLE, 9).p90_seconds < 1


def test_without_a_slot_or_any_call_that_ended_nothing_can_be_known() -> None:
    assert estimate_start(replace(IDLE, slots=0), ahead=0, ahead_at_most=0) is None
    assert estimate_start(IDLE, ahead=10, ahead_at_most=10) is None
    assert estimate_start(IDLE, ahead=0, ahead_at_most=10) is None


def test_calls_that_take_as_long_as_ever_end_one_after_the_other() -> None:
    assert [start(BUSY, ahead).p50_seconds for ahead in (0, 1, 5)] == [5, 15, 55]
    assert start(BUSY, 5).p90_seconds >= 55


def test_twice_the_slots_take_half_the_time() -> None:
    assert start(replace(BUSY, slots=2, busy=2), 10).p50_seconds == start(BUSY, 10).p50_seconds / 2


def test_a_rate_spaces_the_starts_whatever_is_free() -> None:
    paced = replace(IDLE, slots=10_000, starts_per_second=2.0)
    assert start(paced, 100).p50_seconds == 50
    assert 50 < start(paced, 100).p90_seconds < 60


def test_of_rate_and_slots_the_slower_one_counts() -> None:
    assert start(replace(BUSY, starts_per_second=100.0), 5).p50_seconds == 55
    assert start(replace(BUSY, starts_per_second=0.01), 5).p50_seconds == 500


def test_a_pause_comes_on_top() -> None:
    assert start(replace(IDLE, opens_in_seconds=30), 0).p50_seconds == 30
    assert start(replace(BUSY, opens_in_seconds=30), 0).p50_seconds == 35


def test_what_others_may_still_submit_is_in_the_late_case_alone() -> None:
    calm, crowded = start(BUSY, 5), start(BUSY, 5, at_most=20)
    assert calm.p50_seconds == crowded.p50_seconds
    assert crowded.p90_seconds > calm.p90_seconds + 100


def test_calls_that_take_no_time_are_no_obstacle() -> None:
    assert start(replace(BUSY, run_seconds=(0.0,) * 5), 50).p50_seconds == 0


def simulated(runs: list[float], *, slots: int, ahead: int, dice: random.Random) -> float:
    """When the job starts if every slot has been busy for ever with calls such as these."""
    # One looks in on long calls more often than on short ones, and at any moment of theirs.
    ends = [dice.choices(runs, weights=runs)[0] * dice.random() for _ in range(slots)]
    heapify(ends)
    for _ in range(ahead):
        heapreplace(ends, ends[0] + dice.choice(runs))
    return ends[0]


@pytest.mark.parametrize(("slots", "ahead"), [(1, 20), (10, 50), (10, 200), (100, 300)])
@pytest.mark.parametrize("runs", [[10.0], [2.0, 30.0], [1.0, 1.0, 1.0, 1.0, 40.0]])
def test_the_middle_and_the_late_case_are_about_where_a_simulation_finds_them(
    slots: int, ahead: int, runs: list[float]
) -> None:
    dice = random.Random(1)
    found = sorted(simulated(runs, slots=slots, ahead=ahead, dice=dice) for _ in range(200))
    eta = start(Outlook(slots=slots, busy=slots, starts_per_second=None, opens_in_seconds=0.0,
                        run_seconds=runs * (200 // len(runs))), ahead)  # fmt: skip
    assert eta.p50_seconds == pytest.approx(found[100], rel=0.2, abs=max(runs) / slots)
    assert sum(seconds <= eta.p90_seconds for seconds in found) >= 0.85 * len(found)
