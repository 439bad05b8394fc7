import os
import socket
from collections.abc import Iterator

import pytest

from jobs.webhooks.deliveries import DeliveryClaim
from tests.fakes.post_office import PostOffice
from worker.calls import Calls
from worker.crew import Crew
from worker.missing import CHECK_BEATS
from worker.webhooks.heartbeat import SenderHeartbeat


@pytest.fixture
def crew(office: PostOffice) -> Iterator[Crew[DeliveryClaim]]:
    crew = Crew(office.deliveries().claim, lambda claim: None, Calls(), slots=16)
    yield crew
    crew.finish(grace_seconds=0)


@pytest.fixture
def beats(office: PostOffice, crew: Crew[DeliveryClaim]) -> SenderHeartbeat:
    return SenderHeartbeat(office.senders, crew, sender="s1")


def test_a_beat_tells_who_lives_where_with_how_many_slots(office: PostOffice, beats: SenderHeartbeat) -> None:
    beats.step()
    (live,) = office.senders.live()
    assert (live.id, live.slots, live.deliveries) == ("s1", 16, 0)
    assert (live.host, live.pid) == (socket.gethostname(), os.getpid())


def test_a_sender_that_drains_is_given_nothing_after_its_next_beat(
    office: PostOffice, beats: SenderHeartbeat, crew: Crew[DeliveryClaim]
) -> None:
    beats.step()
    crew.drain()
    beats.step()
    office.end_job()
    assert office.release().count == 0


def test_a_delivery_that_no_thread_holds_is_given_back_at_the_second_look(
    office: PostOffice, beats: SenderHeartbeat
) -> None:
    office.end_job()
    (claim,) = office.take()
    for _ in range(2 * CHECK_BEATS - 1):
        beats.step()
    assert office.record(claim.number)["status"] == "sending"
    beats.step()
    assert office.record(claim.number)["status"] == "retrying"
