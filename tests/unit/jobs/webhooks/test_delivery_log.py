"""What owners see of their deliveries: one, those of a job, pages of all."""

from typing import Any

import pytest

from jobs import keys
from jobs.errors import CursorNotFound, DeliveryNotFound, JobNotFound
from jobs.record import new_number
from jobs.webhooks.delivery_log import DeliveryLog
from tests.fakes.post_office import GONE, ORIGIN, PostOffice, retrying
from tests.unit.jobs.webhooks.dead import FAILED, dead


@pytest.fixture
def log(office: PostOffice) -> DeliveryLog:
    return DeliveryLog(office.client)


def paged(log: DeliveryLog, project: str | None = "default", **asked: Any) -> list[str]:
    """The numbers of all pages, one after the other."""
    found: list[str] = []
    after, more = None, True
    while more:
        page = log.page(project, **{"endpoint": None, "status": None, "limit": 2} | asked, after=after)
        found += [delivery.number for delivery in page.deliveries]
        after, more = page.last, page.has_more
    return found


def test_a_delivery_tells_its_event_its_way_and_each_attempt(office: PostOffice, log: DeliveryLog) -> None:
    number = office.end_job()
    (d,) = office.of_job(number)
    new = log.get(d, project="default")
    assert (new.id, new.event_id, new.type) == (f"dlv_{d}", f"evt_{number}01", "response.cancelled")
    assert (new.job, new.endpoint_id, new.origin, new.project) == (number, None, ORIGIN, "default")
    assert (new.status, new.attempts, new.error, new.ended_at) == ("pending", [], None, None)
    assert new.next_attempt_at is not None
    (claim,) = office.take()
    assert (log.get(d, project=None).status, log.get(d, project=None).next_attempt_at) == ("sending", None)
    office.settle(claim, retrying(60), FAILED)
    later = log.get(d, project=None)
    assert (later.status, later.error) == ("retrying", "http_500")
    assert later.next_attempt_at is not None
    assert later.next_attempt_at - office.client.time()[0] > 50
    (attempt,) = later.attempts
    assert attempt == {
        "number": 1, "started_at": 2.5, "latency_ms": 7, "http_status": 500, "error": "http_500", "answer": "no",
        "location": None, "trigger": "schedule",
    }  # fmt: skip


def test_an_ended_delivery_says_when_and_why(office: PostOffice, log: DeliveryLog) -> None:
    (d,) = dead(office, verdict=GONE)
    ended = log.get(d, project="default")
    assert (ended.status, ended.error, ended.next_attempt_at) == ("gone", "http_500", None)
    assert ended.ended_at is not None
    assert ended.ended_at >= ended.created_at - 0.001


def test_a_delivery_of_another_project_is_as_one_that_does_not_exist(office: PostOffice, log: DeliveryLog) -> None:
    (d,) = dead(office, project="p")
    for number in (d, new_number()):
        with pytest.raises(DeliveryNotFound):
            log.get(number, project="q")
        with pytest.raises(CursorNotFound):
            log.page("q", endpoint=None, status=None, limit=2, after=number)
    assert paged(log, "q") == []
    assert log.get(d, project="p").status == "exhausted"


def test_a_jobs_deliveries_are_all_its_receivers_whatever_became_of_them(office: PostOffice, log: DeliveryLog) -> None:
    office.register("we_1")
    number = office.end_job()
    office.end_job()
    assert {delivery.endpoint_id for delivery in log.of_job(number, project="default")} == {None, "we_1"}
    for other, project in ((number, "q"), (new_number(), None)):
        with pytest.raises(JobNotFound):
            log.of_job(other, project=project)


def test_a_job_without_a_receiver_has_no_deliveries(office: PostOffice, log: DeliveryLog) -> None:
    assert log.of_job(office.end_job(None), project=None) == []


def test_pages_go_through_all_classes_newest_first_without_a_gap_or_a_repeat(
    office: PostOffice, log: DeliveryLog
) -> None:
    given_up = dead(office, 3)
    waiting = [office.of_job(office.end_job())[0] for _ in range(4)]
    assert paged(log) == [*reversed(waiting), *reversed(given_up)]
    assert paged(log, limit=100) == paged(log, limit=7) == paged(log)


def test_an_admin_sees_the_deliveries_of_all_projects_in_one_order(office: PostOffice, log: DeliveryLog) -> None:
    found = [office.of_job(office.end_job(project=project))[0] for project in ("p", "q", "p", "q")]
    assert paged(log, None) == found[::-1]
    assert paged(log, "p") == [found[2], found[0]]


def test_a_list_of_one_endpoint_has_its_deliveries_alone(office: PostOffice, log: DeliveryLog) -> None:
    office.register("we_1")
    numbers = [office.end_job() for _ in range(3)]
    found = paged(log, endpoint="we_1")
    assert len(found) == 3
    assert {log.get(d, project=None).endpoint_id for d in found} == {"we_1"}
    assert {log.get(d, project=None).job for d in found} == set(numbers)
    assert paged(log, "q", endpoint="we_1") == []


def test_a_status_chooses_and_dead_are_those_that_were_given_up(office: PostOffice, log: DeliveryLog) -> None:
    gone, exhausted = dead(office, 2, GONE), dead(office, 3)
    waiting = office.of_job(office.end_job())
    assert paged(log, status="gone") == gone[::-1]
    assert paged(log, status="dead") == [*exhausted[::-1], *gone[::-1]]
    assert paged(log, status="pending") == waiting
    assert paged(log, status="delivered") == paged(log, status="retrying") == []


def test_a_search_that_finds_little_ends_its_page_and_says_where_it_is(
    office: PostOffice, log: DeliveryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.webhooks.delivery_log.CHUNK", 2)
    monkeypatch.setattr("jobs.webhooks.delivery_log.MOST_LOOKED_AT", 4)
    gone, exhausted = dead(office, 1, GONE), dead(office, 6)
    first = log.page("default", endpoint=None, status="gone", limit=5, after=None)
    assert (first.deliveries, first.last, first.has_more) == ([], exhausted[2], True)
    assert paged(log, status="gone") == gone


def test_a_delivery_that_ends_while_the_lists_are_read_is_told_once(office: PostOffice, log: DeliveryLog) -> None:
    found = dead(office, 3)
    for d in found:
        office.client.zadd(keys.project_deliveries("open", "default"), {d: office.record(d)["since"]})
    assert paged(log, limit=1) == paged(log, limit=10) == found[::-1]


def test_what_is_no_longer_kept_is_passed_over(office: PostOffice, log: DeliveryLog) -> None:
    kept = dead(office, 5)
    for d in (kept[1], kept[3]):
        office.client.delete(keys.delivery(d))
    assert paged(log, limit=1) == [kept[4], kept[2], kept[0]]


def test_what_waits_for_an_origin_that_rests_is_told_when_that_ends(office: PostOffice, log: DeliveryLog) -> None:
    first, second = (office.of_job(office.end_job())[0] for _ in range(2))
    claims = {claim.number: claim for claim in office.take()}
    office.settle(claims[first], retrying(5.0, origin="throttled", pause_seconds=40.0))
    office.settle(claims[second], retrying(90.0))
    now = office.client.time()[0]
    times = [log.get(d, project=None).next_attempt_at for d in (first, second)]
    assert [time is not None and round((time - now) / 10) for time in times] == [4, 9]
