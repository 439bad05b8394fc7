from collections.abc import Iterator

import pytest

from jobs import keys
from jobs.webhooks.releases import Releases
from tests.fakes.post_office import SCHEDULE, PostOffice
from worker.wakes import STAND_BY_SECONDS
from worker.webhooks.dispatcher import DeliveryDispatcher


def dispatcher(office: PostOffice, sender: str) -> DeliveryDispatcher:
    return DeliveryDispatcher(Releases(office.client, schedule=SCHEDULE), office.client, sender=sender)


@pytest.fixture
def leader(office: PostOffice) -> Iterator[DeliveryDispatcher]:
    leader = dispatcher(office, "s1")
    yield leader
    leader.close()


def test_one_leads_and_listens_and_the_other_stands_by(office: PostOffice, leader: DeliveryDispatcher) -> None:
    assert (leader.step(), dispatcher(office, "s2").step()) == (0, STAND_BY_SECONDS)
    ((_, listeners),) = office.client.pubsub_numsub(keys.WAKE_DELIVERIES)
    assert listeners == 1


def test_a_step_releases_what_is_due(office: PostOffice, leader: DeliveryDispatcher) -> None:
    office.beat()
    numbers = [number for _ in range(3) for number in office.of_job(office.end_job())]
    leader.step()
    assert sorted(claim.number for claim in office.claim()) == sorted(numbers)


def test_a_jobs_end_wakes_the_leader_from_its_wait(
    office: PostOffice, leader: DeliveryDispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.wakes.LONGEST_SECONDS", 1000.0)
    office.beat()
    for _ in range(2):  # subscribes, hears of that
        leader.step()
    office.end_job()
    assert leader.step() == 0  # without a wake it would wait on
    assert len(office.claim()) == 1
