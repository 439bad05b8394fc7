"""How those who follow one job share what its log holds: the real scripts tell, and looks are counted."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from jobs import keys, scripts
from jobs.claims import Claim
from jobs.errors import JobNotFound, StoreUnavailable
from jobs.event_log import PAGE_EVENTS, EventLog, Look, appending
from jobs.live_log import MOST_VIEWS, Following, LiveLog, News
from jobs.log_tail import MOST_BYTES
from tests.fakes.bench import ANSWERED, COMPLETED, FAILED, FAILURE, Bench
from tests.fakes.waiting import wait_until


class Looked(EventLog):
    """Counts its looks."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench.client)
        self.looks = 0
        self.away = False
        self.held = threading.Event()
        self.held.set()

    def look(self, number: str, *, after: int) -> Look | None:
        self.looks += 1
        if self.away:
            assert self.held.wait(20)
            raise StoreUnavailable("away")
        return super().look(number, after=after)


class Told:
    """A job that streams, and its log as a process knows it that hears what Redis tells."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        bench.submit()
        bench.beat("w1")
        bench.dispatch()
        (self.claim,) = bench.claim()
        self.event_log = Looked(bench)
        self.log = LiveLog(self.claim.number, self.event_log)
        self._channel = bench.client.pubsub()
        self._channel.subscribe(keys.log(self.claim.number))
        self._channel.get_message(timeout=5)
        self._written = 0

    def follower(self) -> Following:
        following = Following(self.log)
        self.log.followers.add(following)
        return following

    def grow(self, count: int = 1, *, text: str = "", heard: bool = True, claim: Claim | None = None) -> float:
        """The attempt streams so many more events. Returns when that was heard."""
        claim = claim or self.claim
        if claim is not self.claim:
            self.claim, self._written = claim, 0
        events = [("x", b'{"type":"x","at":%d,"text":"%s"}' % (place, text.encode())) for place in range(count)]
        call = appending(
            claim.number, worker="w1", attempt=claim.attempt, before=self._written, events=events, whole=False
        )
        self._written = scripts.run(self.bench.client, call)
        return self.hear(heard=heard)

    def hear(self, *, heard: bool = True) -> float:
        """The next message of the channel arrives, or is lost."""
        message: dict[str, Any] | None = self._channel.get_message(timeout=5)
        assert message is not None
        self.message: bytes = message["data"]
        return self.hear_again() if heard else time.monotonic()

    def hear_again(self) -> float:
        at = time.monotonic()
        self.log.hear(self.message, at)
        return at

    def rewind(self, written: int) -> None:
        """Redis holds no more of the attempt's events than that."""
        self._written = written

    def close(self) -> None:
        self._channel.close()


@pytest.fixture
def told(bench: Bench) -> Any:
    made = Told(bench)
    yield made
    made.close()


def numbers(news: News) -> Sequence[int]:
    return [entry.number for entry in news.look.entries]


def test_growth_that_is_told_is_no_reason_to_look(told: Told) -> None:
    readers = [told.follower() for _ in range(20)]
    for reader in readers:
        reader.news(after=2, since=0)
    looks = told.event_log.looks
    for end in (5, 8):
        at = told.grow(3)
        found = [reader.news(after=end - 3, since=at) for reader in readers]
        assert {tuple(numbers(news)) for news in found} == {(end - 2, end - 1, end)}
        assert len({id(news) for news in found}) == 1
        assert all(news.holds_all(at) for news in found)
        assert numbers(readers[0].news(after=end, since=at)) == []
    assert (told.event_log.looks, looks) == (1, 1)
    assert told.event_log.look(told.claim.number, after=5) == readers[0].news(after=5, since=0).look


def test_the_frames_are_those_of_all_entries_in_their_order(told: Told) -> None:
    told.grow(2)
    assert told.follower().news(after=2, since=0).frames == (
        b'event: x\ndata: {"type":"x","at":0,"text":"","sequence_number":3}\n\n'
        b'event: x\ndata: {"type":"x","at":1,"text":"","sequence_number":4}\n\n'
    )


def test_one_that_lags_a_little_is_told_all_at_once_without_a_look(told: Told) -> None:
    quick, slow = told.follower(), told.follower()
    for reader in (quick, slow):
        reader.news(after=2, since=0)
    for end in range(3, 30):
        at = told.grow()
        assert numbers(quick.news(after=end - 1, since=at)) == [end]
        quick.news(after=end, since=at)
    assert numbers(slow.news(after=2, since=at)) == list(range(3, 30))
    assert told.event_log.looks == 1


def test_what_all_have_been_told_is_kept_no_longer(told: Told) -> None:
    readers = [told.follower() for _ in range(2)]
    for end in range(2, 12):
        for reader in readers:
            reader.news(after=end, since=time.monotonic() if end == 2 else 0)
        told.grow()
    assert [entry.number for entry in told.log._tail.entries] == [12]


def test_one_who_takes_nothing_costs_no_more_than_the_bound_and_looks_alone(told: Told) -> None:
    quick, stuck = told.follower(), told.follower()
    for reader in (quick, stuck):
        reader.news(after=2, since=0)
    size = 10_000
    for end in range(3, 60):
        at = told.grow(text="x" * size)
        quick.news(after=end, since=at)
        assert sum(len(entry.event) for entry in told.log._tail.entries) <= MOST_BYTES
    assert told.event_log.looks == 1
    found = stuck.news(after=2, since=at)
    assert numbers(found) == list(range(3, 60))
    assert told.event_log.looks == 2


def test_a_message_that_was_lost_is_made_up_for_by_a_look(told: Told) -> None:
    reader = told.follower()
    reader.news(after=2, since=0)
    told.grow(heard=False)
    at = told.grow()
    assert numbers(reader.news(after=2, since=at)) == [3, 4]
    assert told.event_log.looks == 2
    at = told.grow()
    assert numbers(reader.news(after=4, since=at)) == [5]
    assert told.event_log.looks == 2


def test_more_than_a_message_holds_is_looked_at(told: Told) -> None:
    reader = told.follower()
    reader.news(after=2, since=0)
    at = told.grow(text="x" * 20_000)
    assert numbers(reader.news(after=2, since=at)) == [3]
    assert told.event_log.looks == 2


@pytest.mark.parametrize("what", ["finish", "retry"])
def test_after_anything_but_growth_there_is_a_look(what: str, told: Told) -> None:
    reader = told.follower()
    told.grow()
    reader.news(after=2, since=0)
    if what == "finish":
        told.bench.runs().finish(told.claim, COMPLETED, ANSWERED)
        at = told.hear()
        news = reader.news(after=3, since=at)
        assert news.look.status == "completed"
    else:
        told.bench.runs("w1").retry(told.claim, FAILED, delay_seconds=0)
        told.bench.dispatch()
        (again,) = told.bench.claim()
        told.hear()
        at = told.grow(claim=again)
        news = reader.news(after=3, since=at)
        assert (news.look.void, numbers(news)) == (4, [4, 5])
    assert told.event_log.looks == 2


def test_a_long_log_is_shared_by_pages_and_nobody_takes_one_for_the_end(told: Told) -> None:
    told.grow(PAGE_EVENTS + 10)
    first, second = told.follower(), told.follower()
    since = time.monotonic()
    news = first.news(after=2, since=since)
    assert len(news.look.entries) == PAGE_EVENTS
    assert not news.holds_all(since)
    assert second.news(after=2, since=since) is news
    news = first.news(after=numbers(news)[-1], since=since)
    assert len(news.look.entries) == 10
    assert news.holds_all(since)
    assert numbers(second.news(after=2, since=since)) == list(range(3, PAGE_EVENTS + 13))
    assert told.event_log.looks == 2


@pytest.mark.parametrize("after", [9, 2**64])
def test_a_number_beyond_the_log_is_nobody_elses_place(after: int, told: Told) -> None:
    told.grow(3)
    odd, reader = told.follower(), told.follower()
    assert numbers(odd.news(after=after, since=0)) == []
    assert numbers(reader.news(after=2, since=0)) == [3, 4, 5]
    assert numbers(odd.news(after=after, since=0)) == []
    at = told.grow()
    assert numbers(reader.news(after=5, since=at)) == [6]
    assert told.event_log.looks == 3


def test_those_who_are_ahead_of_one_that_is_stuck_at_a_page_share_their_looks(told: Told) -> None:
    told.grow(PAGE_EVENTS + 10)
    stuck, readers = told.follower(), [told.follower() for _ in range(20)]
    stuck.news(after=2, since=0)
    end = PAGE_EVENTS + 12
    for reader in readers:
        assert numbers(reader.news(after=end, since=0)) == []
    for _ in range(3):
        at, end = told.grow(), end + 1
        assert {tuple(numbers(reader.news(after=end - 1, since=at))) for reader in readers} == {(end,)}
    assert told.event_log.looks == 2


def test_a_message_that_a_look_was_quicker_than_changes_nothing(told: Told) -> None:
    reader = told.follower()
    reader.news(after=2, since=0)
    told.grow(heard=False)
    message, at = told.message, told.grow(heard=False)
    assert numbers(reader.news(after=2, since=at)) == [3, 4]
    told.log.hear(message, time.monotonic())
    at = told.hear_again()
    assert numbers(reader.news(after=4, since=at)) == []
    at = told.grow()
    assert numbers(reader.news(after=4, since=at)) == [5]
    assert told.event_log.looks == 2


def test_an_end_from_before_is_not_told_to_one_who_heard_of_more(told: Told) -> None:
    quick, stuck = told.follower(), told.follower()
    for reader in (quick, stuck):
        reader.news(after=2, since=0)
    told.grow(2)
    told.bench.runs().finish(told.claim, FAILURE, FAILED)
    at = told.hear()
    assert quick.news(after=4, since=at).look.status == "failed"
    assert numbers(stuck.news(after=2, since=at)) == [3, 4]
    told.bench.store.retry(told.claim.number, project=None)
    at = time.monotonic()
    news = stuck.news(after=2, since=at)
    assert (news.look.status, news.look.ended_at, numbers(news)) == ("queued", None, [3, 4, 7])


def test_numbers_that_are_left_out_lead_nobody_to_the_wrong_place(told: Told) -> None:
    """The end that a retry by hand undid had two."""
    told.grow(2)
    told.bench.runs().finish(told.claim, FAILURE, FAILED)
    told.bench.store.retry(told.claim.number, project=None)
    reader, behind = told.follower(), told.follower()
    assert numbers(reader.news(after=2, since=0)) == [3, 4, 7]
    assert numbers(behind.news(after=3, since=0)) == [4, 7]
    assert numbers(behind.news(after=4, since=0)) == [7]
    reader.news(after=7, since=0)
    behind.news(after=7, since=0)
    assert told.event_log.looks == 1


def test_an_attempt_that_began_between_the_state_and_the_events_makes_void_what_was_before(told: Told) -> None:
    told.grow(2)
    state = told.bench.client.hgetall(keys.job(told.claim.number))
    told.bench.runs("w1").retry(told.claim, FAILED, delay_seconds=0)
    told.bench.dispatch()
    (again,) = told.bench.claim()
    told.hear()
    told.grow(claim=again)
    told.bench.client.hset(keys.job(told.claim.number), mapping=state)
    told.bench.client.hdel(keys.job(told.claim.number), "log_void")
    assert told.follower().news(after=2, since=0).look.void == 5


def test_what_is_known_is_doubted_after_redis_was_away(told: Told) -> None:
    """It lost the events 6 to 8, and another attempt wrote others."""
    quick, slow = told.follower(), told.follower()
    told.grow(3)
    for reader in (quick, slow):
        reader.news(after=2, since=0)
    told.grow(3, text="lost")
    quick.news(after=8, since=0)
    log, record = keys.log(told.claim.number), keys.job(told.claim.number)
    kept = told.bench.client.xrange(log, max="6-0")
    told.bench.client.delete(log)
    for row_id, fields in kept:
        told.bench.client.xadd(log, fields, id=row_id)
    told.bench.client.hset(record, mapping={"log_last": 5, "log_count": 3})
    told.log.doubt(time.monotonic())
    told.rewind(3)
    at = told.grow(5, text="new")
    assert numbers(quick.news(after=8, since=at)) == [9, 10]
    news = slow.news(after=5, since=at)
    assert numbers(news) == [6, 7, 8, 9, 10]
    assert all(b"new" in entry.event for entry in news.look.entries)


def test_many_at_different_places_cost_no_more_than_a_few(told: Told) -> None:
    told.grow(PAGE_EVENTS - 1)
    readers = [told.follower() for _ in range(PAGE_EVENTS)]
    for after, reader in enumerate(readers, 2):
        assert len(reader.news(after=after, since=0).look.entries) == PAGE_EVENTS + 1 - after
    assert len(told.log._views) <= MOST_VIEWS
    assert told.event_log.looks == 1


def test_an_event_beyond_the_bound_is_looked_at_once_all_the_same(told: Told) -> None:
    readers = [told.follower() for _ in range(20)]
    for reader in readers:
        reader.news(after=2, since=0)
    at = told.grow(text="x" * 300_000)
    assert {tuple(numbers(reader.news(after=2, since=at))) for reader in readers} == {(3,)}
    assert told.event_log.looks == 2


def test_many_who_ask_while_redis_is_away_do_not_try_one_after_the_other(told: Told) -> None:
    told.event_log.away = True
    readers, asked = [told.follower() for _ in range(20)], threading.Barrier(20)

    def ask(reader: Following) -> None:
        asked.wait(20)
        with pytest.raises(StoreUnavailable):
            reader.news(after=2, since=time.monotonic())

    told.event_log.held.clear()
    with ThreadPoolExecutor(20) as threads:
        running = [threads.submit(ask, reader) for reader in readers]
        wait_until(lambda: told.event_log.looks == 1)
        told.event_log.held.set()
        for one in running:
            one.result(20)
    assert told.event_log.looks < 20
    told.event_log.away = False
    assert numbers(readers[0].news(after=2, since=time.monotonic())) == []


def test_a_job_that_is_gone_is_not_found(told: Told) -> None:
    reader = told.follower()
    reader.news(after=2, since=0)
    told.bench.runs().finish(told.claim, COMPLETED, ANSWERED)
    told.bench.store.delete(told.claim.number, project=None)
    with pytest.raises(JobNotFound):
        reader.news(after=2, since=time.monotonic())


def test_what_is_the_same_for_all_is_made_once_and_again_where_it_came_to_nothing(told: Told) -> None:
    made: list[int] = []

    def make() -> int | None:
        made.append(1)
        if len(made) == 1:
            raise StoreUnavailable("away")
        return None if len(made) == 2 else len(made)

    with pytest.raises(StoreUnavailable):
        told.log.shared("x", make)
    assert told.log.shared("x", make) is None
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(lambda _: told.log.shared("x", make), range(20))) == {3}
    assert told.log.shared("y", lambda: 7) == 7
