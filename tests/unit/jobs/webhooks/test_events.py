"""The feed: nothing is missed, nothing comes twice, and a quiet reader's cursor stays young."""

from dataclasses import replace
from typing import Any

import pytest

from jobs import keys
from jobs.errors import CursorExpired, CursorMalformed
from jobs.webhooks.events import EventFeed
from tests.fakes.post_office import PostOffice


@pytest.fixture
def feed(office: PostOffice) -> EventFeed:
    return EventFeed(office.client, retention_seconds=3600.0)


def types_and_ids(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(event["type"], event["data"]["id"]) for event in events]


def test_the_feed_hands_out_the_very_events_that_webhooks_carry(office: PostOffice, feed: EventFeed) -> None:
    number = office.end_job()
    (claim,) = office.take()
    (event,) = feed.page("default", after=None, limit=10).events
    assert event["data"]["id"] == f"resp_{number}"
    assert event["id"] == claim.event_id
    assert office.feed() == [event]


def test_pages_follow_each_other_without_a_gap_or_a_repeat(office: PostOffice, feed: EventFeed) -> None:
    numbers = [office.end_job(None) for _ in range(5)]
    seen, cursor, more = [], None, True
    while more:
        page = feed.page("default", after=cursor, limit=2)
        seen += page.events
        cursor, more = page.cursor, page.has_more
        assert len(page.events) <= 2
    assert types_and_ids(seen) == [("response.cancelled", f"resp_{number}") for number in numbers]


def test_what_comes_after_the_end_was_reached_is_on_the_next_page(office: PostOffice, feed: EventFeed) -> None:
    first = feed.page("default", after=None, limit=10)
    assert (first.events, first.has_more) == ([], False)
    number = office.end_job(None)
    second = feed.page("default", after=first.cursor, limit=10)
    assert types_and_ids(second.events) == [("response.cancelled", f"resp_{number}")]
    assert feed.page("default", after=second.cursor, limit=10).events == []


def test_a_feed_is_its_projects_alone(office: PostOffice, feed: EventFeed) -> None:
    office.end_job(None, project="p")
    assert len(feed.page("p", after=None, limit=10).events) == 1
    assert feed.page("q", after=None, limit=10).events == []


def test_the_cursor_of_a_quiet_reader_does_not_grow_old(office: PostOffice, feed: EventFeed) -> None:
    office.client.xadd(keys.events("default"), {"event": "{}"}, id="1700000000000-3")
    seconds = office.client.time()[0]
    page = feed.page("default", after=None, limit=10)
    milliseconds, _ = page.cursor.split("-")
    assert seconds - 61 <= int(milliseconds) / 1000 <= seconds
    assert feed.page("default", after=page.cursor, limit=10).cursor >= page.cursor


def test_a_cursor_in_the_middle_is_that_of_the_last_event_read(office: PostOffice, feed: EventFeed) -> None:
    now_ms = office.client.time()[0] * 1000
    for place in (f"{now_ms}-1", f"{now_ms}-2"):
        office.client.xadd(keys.events("default"), {"event": "{}"}, id=place)
    page = feed.page("default", after=None, limit=1)
    assert (page.cursor, page.has_more) == (f"{now_ms}-1", True)


def test_whoever_begins_with_the_oldest_event_that_is_kept_can_read_on(office: PostOffice, feed: EventFeed) -> None:
    now = office.client.time()[0]
    for age in (9000, 3700, 3599, 3000):
        office.client.xadd(keys.events("default"), {"event": f'{{"age":{age}}}'}, id=f"{(now - age) * 1000}-0")
    first = feed.page("default", after=None, limit=1)
    assert first.events == [{"age": 3599}]
    assert feed.page("default", after=first.cursor, limit=10).events == [{"age": 3000}]
    # A reader who takes half an hour for a page reads on, too.
    assert feed.page("default", after=f"{(now - 5400) * 1000}-0", limit=1).events == [{"age": 3700}]


def test_a_cursor_older_than_the_feed_is_told_rather_than_events_missed(office: PostOffice, feed: EventFeed) -> None:
    now = office.client.time()[0]
    with pytest.raises(CursorExpired):
        feed.page("default", after=f"{(now - 7300) * 1000}-0", limit=10)
    assert feed.page("default", after=f"{(now - 3500) * 1000}-0", limit=10).events == []


@pytest.mark.parametrize("cursor", ["", "x", "1", "1-", "-1", "1-1-1", "(1-1", "+", "١-١", "1-1\n", "9" * 16 + "-1"])
def test_what_is_no_cursor_is_refused(cursor: str, feed: EventFeed) -> None:
    with pytest.raises(CursorMalformed):
        feed.page("default", after=cursor, limit=10)


def test_a_cursor_of_the_far_future_reads_nothing_and_stays(feed: EventFeed) -> None:
    cursor = "999999999999999-999999999999999"
    page = feed.page("default", after=cursor, limit=10)
    assert page == replace(page, events=[], cursor=cursor, has_more=False)
