import pytest

from jobs.turns import Ahead, Share, jobs_ahead


def share(service: float, waiting: int = 100, weight: float = 1.0) -> Share:
    return Share(service=service, weight=weight, waiting=waiting)


def test_alone_only_ones_own_jobs_go_before() -> None:
    assert jobs_ahead(share(5), 1, []) == Ahead(likely=0, at_most=0)
    assert jobs_ahead(share(5), 4, []) == Ahead(likely=3, at_most=3)


def test_projects_of_one_weight_take_turns() -> None:
    assert jobs_ahead(share(0), 10, [share(0), share(0)]) == Ahead(likely=27, at_most=27)


def test_one_who_was_served_more_goes_later() -> None:
    assert jobs_ahead(share(8), 1, [share(3)]) == Ahead(likely=5, at_most=5)
    assert jobs_ahead(share(3), 1, [share(8)]) == Ahead(likely=0, at_most=0)


def test_no_more_of_another_go_before_than_wait_unless_it_goes_on_submitting() -> None:
    assert jobs_ahead(share(0), 50, [share(0, waiting=3)]) == Ahead(likely=52, at_most=98)


def test_a_project_of_weight_three_has_three_turns_for_each_of_ones_own() -> None:
    assert jobs_ahead(share(0), 11, [share(0, weight=3)]) == Ahead(likely=40, at_most=40)
    assert jobs_ahead(share(0, weight=3), 31, [share(0)]) == Ahead(likely=40, at_most=40)


@pytest.mark.parametrize("position", [1, 2, 7])
def test_a_part_of_a_turn_is_a_turn(position: int) -> None:
    found = jobs_ahead(share(0.5), position, [share(0)])
    assert found.likely == 2 * position - 1
