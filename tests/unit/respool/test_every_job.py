import pytest

from respool.errors import Refused
from respool.every_job import every_job
from tests.fakes.small_api import Answer, answering, query

GONE: Answer = (400, {}, {"error": {"message": "there is nothing to go on after", "param": "after"}})


def page(numbers: list[int], *, has_more: bool) -> Answer:
    return 200, {}, {"data": [{"id": f"job_{number}"} for number in numbers], "has_more": has_more}


def test_every_page_is_gone_through_and_one_is_held_at_a_time() -> None:
    pages = {None: page([9, 8], has_more=True), "job_8": page([7], has_more=False)}
    with answering(lambda _, request: pages[query(request).get("after")]) as (api, asked):
        found = every_job(api, created_before=5)
        assert [next(found)["id"], next(found)["id"], len(asked)] == ["job_9", "job_8", 1]
        assert [job["id"] for job in found] == ["job_7"]
        assert [query(request)["created_before"] for request in asked] == ["5", "5"]


def test_where_the_last_of_a_page_was_deleted_it_goes_on_after_an_earlier_one() -> None:
    pages = {
        None: page([9, 8, 7], has_more=True),
        "job_7": GONE,
        "job_8": GONE,
        "job_9": page([6, 5], has_more=False),
    }
    with answering(lambda _, request: pages[query(request).get("after")]) as (api, _):
        assert [job["id"] for job in every_job(api)] == [f"job_{number}" for number in (9, 8, 7, 6, 5)]


def test_no_job_is_told_twice_and_a_whole_page_that_was_deleted_is_said() -> None:
    pages = {None: page([9, 8, 7], has_more=True), "job_7": GONE, "job_8": page([7, 6], has_more=True)}
    with answering(lambda _, request: pages.get(query(request).get("after"), GONE)) as (api, _):
        found = every_job(api)
        assert [next(found)["id"] for _ in range(4)] == ["job_9", "job_8", "job_7", "job_6"]
        with pytest.raises(Refused, match="nothing to go on after"):
            next(found)


def test_a_refusal_of_another_kind_is_not_tried_around() -> None:
    refused: Answer = (403, {}, {"error": {"message": "no", "param": None}})
    with answering(lambda number, _: refused if number else page([9, 8], has_more=True)) as (api, asked):
        with pytest.raises(Refused):
            list(every_job(api))
        assert len(asked) == 2


def test_what_only_a_newer_release_can_hand_out_is_not_passed_over() -> None:
    left_out: Answer = (200, {}, {"data": [{"id": "job_9"}], "has_more": False, "left_out": ["job_8"]})
    with answering(lambda *_: left_out) as (api, _), pytest.raises(Refused, match="newer release wrote job_8"):
        list(every_job(api))


@pytest.mark.parametrize("document", [{}, {"data": [1]}, {"data": [{}]}])
def test_what_is_no_list_of_jobs_is_said(document: object) -> None:
    with answering(lambda *_: (200, {}, document)) as (api, _), pytest.raises(Refused):
        list(every_job(api))
