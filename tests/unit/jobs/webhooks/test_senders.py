"""Sender processes: their leases, and what becomes of the deliveries of those that die."""

from dataclasses import replace
from datetime import UTC, datetime

from jobs import keys, scripts
from tests.fakes.clock import Clock
from tests.fakes.post_office import HOOK, PostOffice


def test_a_sender_lives_as_long_as_it_beats(office: PostOffice) -> None:
    office.beat(slots=7)
    (live,) = office.senders.live()
    assert (live.id, live.slots, live.deliveries, live.host) == ("s1", 7, 0, "here")
    office.kill("s1")
    assert office.senders.live() == []


def test_what_a_dead_sender_was_sending_is_sent_again_as_the_same_event(timed_office: PostOffice, clock: Clock) -> None:
    office = timed_office
    office.end_job()
    (claim,) = office.take()
    office.kill("s1")
    swept = office.sweep()
    assert swept is not None
    assert (swept.recovered, swept.unclaimed) == (1, 0)
    (entry,) = office.log(claim.number)
    assert (entry["number"], entry["error"]) == (1, "unknown")
    clock.forward(1.1)
    (again,) = office.take("s2")
    assert (again.event_id, again.attempt, again.step) == (claim.event_id, 2, 0)
    assert office.client.exists(keys.sender("s1")) == 0


def test_what_a_dead_sender_had_not_claimed_goes_at_once(office: PostOffice) -> None:
    office.end_job()
    office.beat()
    office.release()
    office.kill("s1")
    office.sweep()
    (claim,) = office.take("s2")
    assert claim.attempt == 1
    assert office.log(claim.number) == []


def test_a_lost_message_is_noticed_and_its_sender_passed_over(office: PostOffice) -> None:
    office.end_job()
    office.beat()
    office.release()
    assert office.messages()
    office.bench.make_due("deliveries_released")
    swept = office.sweep()
    assert swept is not None
    assert swept.unclaimed == 1
    office.beat("s2", slots=1)
    office.release()
    assert office.claim("s1") == []
    assert len(office.claim("s2")) == 1


def test_ten_losses_of_one_delivery_are_enough(timed_office: PostOffice, clock: Clock) -> None:
    office = timed_office
    office.end_job()
    for n in range(10):
        clock.forward(1.5)
        (claim,) = office.take(f"s{n}")
        office.kill(f"s{n}")
        office.sweep()
    assert office.record(claim.number)["status"] == "exhausted"
    assert office.record(claim.number)["error"] == "unknown"


def test_a_sender_that_leaves_hands_over_what_it_holds(office: PostOffice) -> None:
    office.end_job()
    (claim,) = office.take()
    assert office.senders.held_by("s1") == {claim.number}
    assert office.senders.leave("s1") == 1
    assert office.senders.live() == []
    assert office.record(claim.number)["status"] == "retrying"
    assert office.slots() == 0


def test_a_sender_that_leaves_in_pieces_and_is_cut_short_is_swept(office: PostOffice) -> None:
    for n in range(3):
        office.end_job(replace(HOOK, origin=f"https://h{n}.example:443"))
    assert len(office.take()) == 3
    call = scripts.Call(name="leave_sender", keys=[keys.DELIVERY_LEADER], args=["s1", 2])
    assert scripts.run(office.client, call) == [2, 1]
    assert office.senders.live() == []
    swept = office.sweep()
    assert swept is not None
    assert swept.recovered == 1
    assert not office.client.exists(keys.sender("s1"))
    assert office.listed().keys() == {"open"}
    assert not list(office.client.scan_iter("*origin_slots*"))


def test_a_delivery_that_no_thread_holds_is_given_back(office: PostOffice) -> None:
    office.end_job()
    (claim,) = office.take()
    assert office.senders.give_back("s1", [claim.number]) == 1
    assert office.senders.give_back("s1", [claim.number]) == 0
    assert office.record(claim.number)["stage"] == "waiting"


def test_a_second_sweep_within_the_second_does_nothing(office: PostOffice) -> None:
    assert office.senders.sweep() is not None
    assert office.senders.sweep() is None


def test_an_absence_of_everybody_kills_nobody(office: PostOffice) -> None:
    office.end_job()
    (claim,) = office.take()
    office.kill("s1")
    assert office.senders.sweep() is not None
    assert [sender.id for sender in office.senders.live()] == ["s1"]
    assert office.settle(claim).answer == "settled"


def pass_time(clock: Clock, seconds: float) -> None:
    """In which nobody beats."""
    clock.set(datetime.fromtimestamp(clock.seconds() + seconds, UTC))


def test_a_sender_that_misses_its_beats_is_given_nothing_until_it_beats_again(
    timed_office: PostOffice, clock: Clock
) -> None:
    office = timed_office
    office.beat()
    office.end_job()
    pass_time(clock, 2.6)
    assert office.release().count == 0
    office.beat()
    assert office.release().count == 1


def test_one_that_beats_again_wakes_the_leader(timed_office: PostOffice, clock: Clock) -> None:
    office = timed_office
    office.beat()
    office.release()
    office.beat()
    assert office.client.exists(keys.PREFIX + "deliveries_asleep")
    pass_time(clock, 2.6)
    office.beat()
    assert not office.client.exists(keys.PREFIX + "deliveries_asleep")


def test_what_a_silent_sender_did_not_claim_goes_to_another_before_its_lease_is_over(
    timed_office: PostOffice, clock: Clock
) -> None:
    office = timed_office
    office.end_job()
    (sent,) = office.take()
    office.end_job()
    office.beat()
    office.release()
    (late,) = office.messages()
    pass_time(clock, 2.6)
    swept = office.sweep()
    assert swept is not None
    assert (swept.recovered, swept.unclaimed) == (0, 1)
    assert office.record(sent.number)["stage"] == "sending"
    (claim,) = office.take("s2")
    assert (claim.number, claim.attempt) == (late.numbers[0], 1)
    assert office.deliveries("s1").claim(late.numbers, dispatch=late.dispatch, nonce="late") == []


def test_the_free_slots_of_a_silent_sender_make_no_project_take_all_of_the_others(
    timed_office: PostOffice, clock: Clock
) -> None:
    office = timed_office
    office.beat("s1", slots=8)
    for n in range(10):
        office.end_job(replace(HOOK, origin=f"https://h{n}.example:443"))
    pass_time(clock, 2.6)
    assert len(office.take("s2", slots=8)) == 6
