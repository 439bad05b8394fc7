from itertools import pairwise

import pytest

from worker.poll_pace import LEAST_ASKED_SECONDS, Pace


def pace(*, first: float = 1.0, random: float = 0.5) -> Pace:
    return Pace(first_seconds=first, random=lambda: random)


def test_the_first_question_comes_when_it_is_told_to() -> None:
    assert pace(first=0.0).seconds == 0


def test_the_waits_grow_from_a_second_to_five() -> None:
    found, waits = pace(), []
    for _ in range(12):
        found.goes_on()
        waits.append(found.seconds)
    assert waits[0] == 1.0
    assert waits[-1] == 5.0
    assert all(one <= other for one, other in pairwise(waits))


@pytest.mark.parametrize(("random", "seconds"), [(0.0, 0.8), (0.5, 1.0), (1.0, 1.2)])
def test_a_wait_differs_by_a_fifth_so_that_polls_do_not_come_together(random: float, seconds: float) -> None:
    found = pace(random=random)
    found.goes_on()
    assert found.seconds == pytest.approx(seconds)


def test_refusals_double_the_wait_up_to_half_a_minute_and_a_good_answer_ends_that() -> None:
    found, waits = pace(), []
    for _ in range(7):
        found.fails()
        waits.append(found.seconds)
    assert waits == [2, 4, 8, 16, 30, 30, 30]
    found.goes_on()
    assert found.seconds == 5


@pytest.mark.parametrize(("asked", "seconds"), [(0.0, LEAST_ASKED_SECONDS), (0.5, 0.5), (90.0, 90.0)])
def test_what_the_upstream_asks_for_counts_though_never_at_once(asked: float, seconds: float) -> None:
    found = pace(random=1.0)
    found.goes_on(asked_seconds=asked)
    assert found.seconds == seconds
    found.fails(asked_seconds=asked)
    assert found.seconds == seconds
