"""What was given up, once more."""

import pytest

from jobs import keys
from jobs.errors import DeliveryNotFound, DeliveryOpen, EndpointDeleted, EndpointDisabled
from jobs.record import new_number
from jobs.webhooks.delivery_log import DeliveryLog
from jobs.webhooks.replays import Replays
from tests.fakes.post_office import GONE, HOOK, PostOffice
from tests.unit.jobs.webhooks.dead import dead


@pytest.fixture
def log(office: PostOffice) -> DeliveryLog:
    return DeliveryLog(office.client)


@pytest.fixture
def replays(office: PostOffice, log: DeliveryLog) -> Replays:
    return Replays(office.client, log)


def test_another_projects_delivery_is_not_replayed(office: PostOffice, log: DeliveryLog, replays: Replays) -> None:
    (d,) = dead(office, project="p")
    for number in (d, new_number()):
        with pytest.raises(DeliveryNotFound):
            replays.replay(number, project="q")
    assert replays.replay_failed("q", since=0, endpoint=None) == (0, False)
    assert log.get(d, project="p").status == "exhausted"


def test_a_replay_owes_the_same_event_anew_and_keeps_the_log(
    office: PostOffice, log: DeliveryLog, replays: Replays
) -> None:
    first, second = dead(office, 2)
    before = log.get(first, project=None)
    again = replays.replay(first, project="default")
    assert (again.status, again.error, again.ended_at) == ("pending", None, None)
    assert (again.event_id, again.created_at) == (before.event_id, before.created_at)
    page = log.page("default", endpoint=None, status=None, limit=5, after=None)
    assert [delivery.number for delivery in page.deliveries] == [first, second]
    assert office.client.pttl(keys.delivery(first)) == -1
    (claim,) = office.take()
    assert (claim.number, claim.attempt, claim.step, claim.trigger) == (first, 2, 0, "manual")
    assert (claim.event_id, claim.sealed) == (before.event_id, (HOOK.secret,))
    office.settle(claim)
    delivered = log.get(first, project=None)
    assert delivered.status == "delivered"
    assert [attempt["number"] for attempt in delivered.attempts] == [1, 2]
    assert replays.replay(first, project=None).status == "pending"


def test_what_is_open_is_not_replayed(office: PostOffice, log: DeliveryLog, replays: Replays) -> None:
    (d,) = office.of_job(office.end_job())
    with pytest.raises(DeliveryOpen, match="pending"):
        replays.replay(d, project=None)
    (claim,) = office.take()
    with pytest.raises(DeliveryOpen, match="sending"):
        replays.replay(d, project=None)
    assert office.settle(claim).answer == "settled"


def test_what_an_endpoint_was_owed_is_not_replayed_while_it_takes_nothing(
    office: PostOffice, log: DeliveryLog, replays: Replays
) -> None:
    office.register("we_1")
    (d,) = dead(office, webhook=None)
    office.client.hset(keys.webhook_endpoint("we_1"), "status", "disabled")
    with pytest.raises(EndpointDisabled):
        replays.replay(d, project=None)
    office.client.delete(keys.webhook_endpoint("we_1"))
    with pytest.raises(EndpointDeleted):
        replays.replay(d, project=None)
    assert replays.replay_failed(None, since=0, endpoint=None) == (0, False)
    assert log.get(d, project=None).status == "exhausted"


def test_all_that_died_since_a_time_are_owed_again(office: PostOffice, log: DeliveryLog, replays: Replays) -> None:
    old, new = dead(office, 2), dead(office, 3, GONE)
    since = log.get(new[0], project=None).since / 1_000_000
    assert replays.replay_failed("default", since=since, endpoint=None) == (3, False)
    assert {log.get(d, project=None).status for d in old} == {"exhausted"}
    assert {log.get(d, project=None).status for d in new} == {"pending"}
    assert replays.replay_failed("default", since=since, endpoint=None) == (0, False)
    assert replays.replay_failed("default", since=0, endpoint=None) == (2, False)
    assert len({office.record(d)["since"] for d in old + new}) == 5


def test_a_replay_of_many_is_bounded_and_says_whether_there_are_more(
    office: PostOffice, log: DeliveryLog, replays: Replays, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.webhooks.replays.MOST_REPLAYED", 3)
    monkeypatch.setattr("jobs.webhooks.delivery_lists.CHUNK", 2)
    office.register("we_1")
    (stuck,) = dead(office, webhook=None)
    office.client.delete(keys.webhook_endpoint("we_1"), keys.webhook_routes("default"))
    dead(office, 5)
    assert replays.replay_failed("default", since=0, endpoint=None) == (3, True)
    assert replays.replay_failed("default", since=0, endpoint=None) == (2, False)
    assert log.get(stuck, project=None).status == "exhausted"


def test_a_replay_may_be_of_one_endpoint_or_by_an_admin_of_all_projects(
    office: PostOffice, log: DeliveryLog, replays: Replays
) -> None:
    office.register("we_1", project="p")
    dead(office, 2, project="p")
    dead(office, 1, project="q")
    assert replays.replay_failed("p", since=0, endpoint="we_1") == (2, False)
    assert replays.replay_failed("q", since=0, endpoint="we_1") == (0, False)
    assert replays.replay_failed(None, since=0, endpoint=None) == (3, False)


def test_those_that_cannot_be_replayed_are_passed_over_once(
    office: PostOffice, replays: Replays, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.webhooks.delivery_lists.CHUNK", 2)
    office.register("we_1")
    blocked = dead(office, 5, webhook=None)
    office.client.hset(keys.webhook_endpoint("we_1"), "status", "disabled")
    office.client.delete(keys.webhook_routes("default"))
    free = dead(office, 3)
    assert replays.replay_failed("default", since=0, endpoint=None) == (3, False)
    assert office.listed() == {"dead": set(blocked), "open": set(free)}


def test_a_replay_goes_where_its_endpoint_is_by_now(office: PostOffice, replays: Replays) -> None:
    office.register("we_1")
    (d,) = dead(office, webhook=None)
    moved = {"origin": "https://new.example:443", "url": "https://new.example/in"}
    office.client.hset(keys.webhook_endpoint("we_1"), mapping=moved)
    replays.replay(d, project="default")
    (claim,) = office.take()
    assert (claim.number, claim.url) == (d, "https://new.example/in")
