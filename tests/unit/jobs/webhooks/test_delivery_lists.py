"""One order over all lists."""

import heapq

import pytest

from jobs import keys
from jobs.errors import CursorNotFound
from jobs.record import new_number
from jobs.webhooks.delivery_lists import CLASSES, DeliveryLists
from schemas.delivery import DEAD, OPEN
from tests.fakes.post_office import PostOffice
from tests.unit.jobs.webhooks.dead import dead


@pytest.fixture
def lists(office: PostOffice) -> DeliveryLists:
    return DeliveryLists(office.client)


def test_the_classes_are_those_that_the_api_tells() -> None:
    assert CLASSES == {"open": OPEN, "delivered": ("delivered",), "dead": DEAD}


def test_deliveries_of_one_microsecond_follow_each_other_by_number(
    office: PostOffice, lists: DeliveryLists, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.webhooks.delivery_lists.CHUNK", 3)
    for place in range(9):
        office.register(f"we_{place}")
    found = sorted(office.of_job(office.end_job()), reverse=True)
    (source,) = lists.of("open", project="default", endpoint=None)
    assert [number for _, number in lists.down(source, None)] == found
    for place, number in enumerate(found):
        start = lists.place(number, project="default")
        assert [number for _, number in lists.down(source, start)] == found[place + 1 :]


def test_a_place_is_known_for_longer_than_the_record(office: PostOffice, lists: DeliveryLists) -> None:
    (gone,) = dead(office)
    (kept,) = office.of_job(office.end_job())
    before = lists.place(gone, project="default")
    office.client.delete(keys.delivery(gone))
    assert lists.place(gone, project=None) == before < lists.place(kept, project=None)


def test_a_place_in_another_projects_lists_is_none(office: PostOffice, lists: DeliveryLists) -> None:
    (d,) = dead(office, project="p")
    for number in (d, new_number()):
        with pytest.raises(CursorNotFound):
            lists.place(number, project="default")


def test_the_lists_of_all_projects_merge_into_one_order(office: PostOffice, lists: DeliveryLists) -> None:
    found = [office.of_job(office.end_job(project=project))[0] for project in ("p", "q", "p")]
    sources = lists.of("open", project=None, endpoint=None)
    assert len(sources) == 2
    merged = heapq.merge(*(lists.down(source, None) for source in sources), reverse=True)
    assert [number for _, number in merged] == found[::-1]


def test_the_lists_of_an_endpoint_are_its_own_projects_even_after_it_is_deleted(
    office: PostOffice, lists: DeliveryLists
) -> None:
    office.register("we_1", project="p")
    office.end_job(None, project="p")
    office.client.delete(keys.webhook_endpoint("we_1"))
    (key,) = lists.of("open", project="p", endpoint="we_1")
    assert office.client.zcard(key) == 1
    assert lists.of("open", project=None, endpoint="we_1") == [key]
    assert lists.of("open", project="default", endpoint="we_1") == []
    assert lists.of("dead", project="p", endpoint="we_1") == []


def test_between_takes_both_ends(office: PostOffice, lists: DeliveryLists) -> None:
    found = [office.of_job(office.end_job())[0] for _ in range(3)]
    low, high = (lists.place(d, project=None)[0] for d in (found[0], found[1]))
    (source,) = lists.of("open", project="default", endpoint=None)
    assert [number for _, number in lists.between(source, low, high)] == found[:2]
    assert [number for _, number in lists.between(source, low + 1, high)] == found[1:2]


def test_between_does_not_part_those_that_began_together(
    office: PostOffice, lists: DeliveryLists, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.webhooks.delivery_lists.CHUNK", 2)
    office.client.zadd("some", {"first": 5, "b": 7, "a": 7, "c": 7, "last": 9})
    assert lists.between("some", 0, 10) == [(5, "first"), (7, "a"), (7, "b"), (7, "c")]
    assert lists.between("some", 8, 10) == [(9, "last")]


def test_the_lists_of_an_endpoint_are_its_projects_although_its_oldest_entries_are_forgotten(
    office: PostOffice, lists: DeliveryLists
) -> None:
    office.register("we_1", project="p")
    office.end_job(None, project="p")
    (key,) = lists.of("open", project="p", endpoint="we_1")
    office.client.zadd(key, {new_number(): 1})
    assert lists.of("open", project="p", endpoint="we_1") == [key]
    office.client.delete(keys.webhook_endpoint("we_1"))
    assert lists.of("open", project="p", endpoint="we_1") == [key]
