"""Which deliveries go, when, and to which sender."""

from collections import Counter
from dataclasses import replace

from jobs import keys
from jobs.webhooks.deliveries import Verdict
from jobs.webhooks.releases import DELIVER_TASK, Releases
from jobs.webhooks.target import Webhook
from tests.fakes.clock import Clock
from tests.fakes.post_office import DELIVERED, HOOK, ORIGIN, PostOffice, retrying


def hook_of(host: str) -> Webhook:
    return replace(HOOK, url=f"https://{host}/", origin=f"https://{host}:443")


def throttled(seconds: float) -> Verdict:
    return retrying(origin="throttled", pause_seconds=seconds)


def test_only_one_sender_leads(office: PostOffice) -> None:
    assert office.release("s1").leads
    assert not office.release("s2").leads


def test_a_sender_of_an_older_release_gets_nothing_that_it_could_not_read(office: PostOffice) -> None:
    office.end_job()
    office.beat("s0")
    office.client.hdel(keys.sender("s0"), "generation")
    assert office.release().count == 0
    office.beat("s1")
    assert office.release().count == 1
    assert len(office.claim("s1")) == 1


def test_nobody_of_an_older_release_leads_while_one_of_this_release_does(office: PostOffice) -> None:
    office.client.set(keys.PREFIX + "delivery_leader", "s0", px=3000)
    assert office.release().leads
    assert office.client.get(keys.PREFIX + "delivery_leader") == b"a newer release"
    assert 3000 < office.client.pttl(keys.PREFIX + "delivery_leader") <= 6000


def test_a_message_of_the_senders_own_task_carries_the_numbers(office: PostOffice) -> None:
    office.end_job()
    office.beat()
    assert office.release().count == 1
    (message,) = office.messages()
    assert message.message["headers"]["task"] == DELIVER_TASK
    assert message.message["properties"]["delivery_info"]["routing_key"] == keys.worker_queue("s1")


def test_nothing_goes_without_a_live_sender_or_a_free_slot(office: PostOffice) -> None:
    for _ in range(3):
        office.end_job()
    assert office.release().count == 0
    assert len(office.take(slots=2)) == 2
    assert office.release().count == 0


def test_a_new_origin_gets_four_at_a_time_and_one_more_with_each_success(office: PostOffice) -> None:
    for _ in range(12):
        office.end_job()
    first = office.take()
    assert len(first) == 4
    assert office.take() == []
    for claim in first:
        office.settle(claim)
    assert len(office.take()) == 8


def test_a_fault_halves_how_many_an_origin_gets_at_a_time(office: PostOffice) -> None:
    office.client.hset(keys.origin("default", ORIGIN), "width", 40)
    for _ in range(60):
        office.end_job()
    claims = [claim for _ in range(4) for claim in office.take()]
    assert len(claims) == 40
    for claim in claims:
        office.settle(claim, retrying(600.0) if claim is claims[0] else retrying(600.0, origin="unmoved"))
    taken = [claim for _ in range(4) for claim in office.take()]
    assert len(taken) == 20


def test_an_origin_that_answers_slowly_gets_no_more_at_a_time(timed_office: PostOffice, clock: Clock) -> None:
    office = timed_office
    for _ in range(12):
        office.end_job()
    first = office.take()
    clock.forward(6.0)
    for claim in first:
        office.settle(claim)
    assert len(office.take()) == 4


def test_a_full_origin_does_not_hold_up_the_others(office: PostOffice) -> None:
    for _ in range(10):
        office.end_job(hook_of("slow.example"))
    office.end_job(hook_of("quick.example"))
    assert Counter(claim.url for claim in office.take()) == {"https://slow.example/": 4, "https://quick.example/": 1}


def test_origins_take_turns_when_slots_are_few(office: PostOffice) -> None:
    for host in ("a.example", "b.example", "c.example"):
        office.client.hset(keys.origin("default", f"https://{host}:443"), "width", 64)
        for _ in range(40):
            office.end_job(hook_of(host))
    claims = []
    while len(claims) < 36:
        taken = office.take(slots=16)
        claims += taken
        for claim in taken:
            office.settle(claim)
    assert set(Counter(claim.url for claim in claims).values()) == {12}


def test_a_project_with_many_slow_receivers_leaves_slots_to_the_others(office: PostOffice) -> None:
    for n in range(60):
        office.end_job(hook_of(f"slow{n}.example"), project="p")
    assert len(office.take(slots=40)) == 30
    assert office.take(slots=40) == []
    office.end_job(project="q")
    (claim,) = office.take(slots=40)
    assert claim.project == "q"


def test_the_project_with_the_fewest_under_way_goes_first(office: PostOffice) -> None:
    for n in range(30):
        office.end_job(hook_of(f"p{n}.example"), project="p")
    first, *others = office.take(slots=16)
    assert len(others) == 11
    office.settle(first)
    for n in range(30):
        office.end_job(hook_of(f"q{n}.example"), project="q")
    assert Counter(claim.project for claim in office.take(slots=32)) == {"q": 16, "p": 5}


def test_a_project_at_its_bound_goes_on_as_soon_as_one_of_its_deliveries_has_ended(office: PostOffice) -> None:
    for n in range(8):
        office.end_job(hook_of(f"p{n}.example"))
    claims = office.take(slots=8)
    assert len(claims) == 6
    office.settle(claims[0])
    office.release()
    assert len(office.claim()) == 1


def test_the_same_origin_of_two_projects_is_two(office: PostOffice) -> None:
    for project in ("p", "q"):
        for _ in range(10):
            office.end_job(project=project)
    assert Counter(claim.project for claim in office.take()) == {"p": 4, "q": 4}


def test_a_settled_delivery_lets_the_next_go_when_every_slot_was_taken(office: PostOffice) -> None:
    office.end_job(hook_of("a.example"))
    office.end_job(hook_of("b.example"))
    (claim,) = office.take(slots=1)
    with office.client.pubsub() as wakes:
        wakes.subscribe(keys.WAKE_DELIVERIES)
        assert wakes.get_message(timeout=5)["type"] == "subscribe"
        office.settle(claim)
        assert wakes.get_message(timeout=5)["type"] == "message"


def test_the_leader_is_called_when_a_job_ends(office: PostOffice) -> None:
    office.beat()
    assert office.release().wake_seconds is None
    with office.client.pubsub() as wakes:
        wakes.subscribe(keys.WAKE_DELIVERIES)
        assert wakes.get_message(timeout=5)["type"] == "subscribe"
        office.end_job()
        assert wakes.get_message(timeout=5)["type"] == "message"


def test_the_leader_is_told_when_the_next_is_due(timed_office: PostOffice) -> None:
    office = timed_office
    office.end_job()
    (claim,) = office.take()
    office.settle(claim, retrying(5.0))
    wake = office.release().wake_seconds
    assert wake is not None
    assert 4.5 < wake <= 5.0


def test_an_origin_that_asks_for_patience_gets_nothing_meanwhile(timed_office: PostOffice, clock: Clock) -> None:
    office = timed_office
    office.end_job()
    (claim,) = office.take()
    office.settle(claim, throttled(30.0))
    office.end_job()
    clock.forward(29.0)
    assert office.take() == []
    clock.forward(1.5)
    assert len(office.take()) == 2


def break_origin(office: PostOffice, clock: Clock, faults: int = 10) -> None:
    """Ten deliveries that fail at an origin; what waits then has spent nothing."""
    for _ in range(faults):
        office.end_job()
    failed = 0
    while failed < faults:
        for claim in office.take():
            office.settle(claim, retrying(100_000.0))
            failed += 1


def test_ten_faults_in_a_row_open_the_breaker_and_nobody_waiting_spends_an_attempt(
    timed_office: PostOffice, clock: Clock
) -> None:
    office = timed_office
    break_origin(office, clock)
    number = office.end_job()
    clock.forward(29.0)
    assert office.take() == []
    (d,) = office.of_job(number)
    assert (office.record(d)["attempt"], office.record(d)["status"]) == ("0", "pending")


def test_an_open_breaker_is_probed_by_one_and_opens_wide_with_its_success(
    timed_office: PostOffice, clock: Clock
) -> None:
    office = timed_office
    break_origin(office, clock)
    for _ in range(6):
        office.end_job()
    clock.forward(30.5)
    (probe,) = office.take()
    assert office.take() == []
    office.settle(probe, DELIVERED)
    assert len(office.take()) == 5


def test_a_probe_that_fails_doubles_the_wait(timed_office: PostOffice, clock: Clock) -> None:
    office = timed_office
    break_origin(office, clock)
    office.end_job()
    clock.forward(30.5)
    (probe,) = office.take()
    office.settle(probe, retrying(0.0))
    clock.forward(59.0)
    assert office.take() == []
    clock.forward(2.0)
    assert len(office.take()) == 1


def test_seven_faults_of_ten_attempts_open_the_breaker_too(timed_office: PostOffice, clock: Clock) -> None:
    office = timed_office
    for _ in range(11):
        office.end_job()
    outcomes = iter([True, False, False, True, False, False, True, False, False, False, False])
    settled = 0
    while settled < 10:
        for claim in office.take():
            office.settle(claim, DELIVERED if next(outcomes) else retrying(100_000.0))
            settled += 1
    assert office.client.hget(keys.origin("default", ORIGIN), "open_until") is not None


def test_what_waited_for_more_than_a_week_and_the_whole_schedule_is_given_up(
    timed_office: PostOffice, clock: Clock
) -> None:
    office = timed_office
    number = office.end_job()
    (d,) = office.of_job(number)
    clock.forward(7 * 86400 - 60)
    (claim,) = office.take()
    office.settle(claim, retrying(0.0))
    clock.forward(120)
    office.end_job()
    (other,) = office.take()
    assert other.number != d
    assert (office.record(d)["status"], office.record(d)["error"]) == ("exhausted", "out_of_time")
    assert office.record(d)["attempt"] == "1"


def test_an_origin_of_a_project_gets_no_more_a_second_than_the_rate(timed_office: PostOffice, clock: Clock) -> None:
    office, took = timed_office, []
    releases = Releases(office.client, schedule=office.schedule, rate=5)
    office.client.hset(keys.origin("default", ORIGIN), "width", 1000)
    for _ in range(30):
        office.end_job()
    office.end_job(hook_of("other.example"))
    office.beat()
    for _ in range(3):
        took.append(sum(releases.release("s1").count for _ in range(4)))
        clock.forward(1.0)
    assert took == [5 + 1, 5, 5]


def test_what_the_rate_holds_back_is_looked_at_as_soon_as_it_may_go(timed_office: PostOffice, clock: Clock) -> None:
    office = timed_office
    releases = Releases(office.client, schedule=office.schedule, rate=2)
    for _ in range(5):
        office.end_job()
    office.beat()
    assert releases.release("s1").count == 2
    waits = releases.release("s1").wake_seconds
    assert waits is not None
    assert 0 < waits <= 0.5
    clock.forward(waits)
    assert releases.release("s1").count == 1
