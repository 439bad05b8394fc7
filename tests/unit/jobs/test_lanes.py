from collections import Counter

import pytest
from kombu import Connection

from jobs import keys
from jobs.closings import Closing
from jobs.lanes import MOST_JOBS, TASK, lane_of
from jobs.limits import LaneLimits, Limits
from tests.fakes.bench import ANSWERED, COMPLETED, UNSENT, Bench
from tests.fakes.clock import Clock

MINUTE = 60.0
LANE = lane_of("m")


def test_no_more_is_released_than_live_workers_have_free_slots(bench: Bench) -> None:
    bench.fill(10, slots=3)
    bench.beat("w2", slots=2)
    bench.beat("drained", slots=0)
    bench.beat("dead", slots=9)
    bench.kill("dead")
    assert [bench.dispatch().released for _ in range(2)] == [5, 0]
    assert (len(bench.claim("w1")), len(bench.claim("w2"))) == (3, 2)
    assert bench.dispatch().released == 0
    assert bench.blocked() == "no_worker"


def test_a_slot_is_free_again_when_its_job_ended(bench: Bench) -> None:
    bench.fill(3, slots=1)
    bench.dispatch()
    (claim,) = bench.claim()
    bench.runs().finish(claim, COMPLETED, ANSWERED)
    assert bench.dispatch().released == 1


def test_jobs_of_a_lane_go_in_the_order_they_came(bench: Bench) -> None:
    numbers = bench.fill(70)
    bench.dispatch()
    assert [claim.number for claim in bench.claim()] == numbers


def test_never_more_than_in_flight_are_out(bench: Bench) -> None:
    bench.limit(in_flight=2)
    bench.fill(5)
    assert (bench.dispatch().released, bench.blocked()) == (2, "in_flight")
    first, second = bench.claim()
    bench.runs().finish(first, COMPLETED, ANSWERED)
    assert bench.dispatch().released == 1
    bench.store.cancel(second.number, project=None)
    assert bench.dispatch().released == 0, "a cancelled call holds its slot until it is hung up"


@pytest.mark.parametrize("limits", [{"requests_per_minute": 100}, {"requests_per_minute": 100, "burst": 40},
                                    {"requests_per_minute": 7}, {"requests_per_minute": 1}])  # fmt: skip
def test_no_window_of_a_minute_exceeds_the_limit_of_requests_and_nearly_all_of_it_is_used(
    bench: Bench, clock: Clock, limits: dict[str, int]
) -> None:
    bench.limit(**limits)
    most = limits["requests_per_minute"]
    bench.fill(4 * most + 1)
    went: list[tuple[float, int]] = []
    while not went or went[-1][0] < went[0][0] + 2.5 * MINUTE:
        done = bench.dispatch()
        went.append((clock.seconds(), done.released))
        assert done.wake_seconds is not None
        clock.forward(done.wake_seconds)
    for start, _ in went:
        assert sum(count for time, count in went if start <= time < start + MINUTE) <= most
    steady = sum(count for time, count in went if went[-1][0] - MINUTE <= time)
    assert steady >= 0.9 * (most - limits.get("burst", 0)) - 1


def test_a_burst_goes_at_once_and_the_dispatcher_says_when_the_next_may_go(bench: Bench) -> None:
    bench.limit(requests_per_minute=60, burst=10)
    bench.fill(30)
    done = bench.dispatch()
    assert (done.released, bench.blocked()) == (10, "rate_limit_requests")
    assert done.wake_seconds is not None
    assert 0 < done.wake_seconds <= 1.01 * 60 / 50


def test_tokens_are_reserved_by_estimate_and_settled_by_what_was_used(bench: Bench, clock: Clock) -> None:
    bench.limit(tokens_per_minute=100_000)
    bench.fill(5, tokens=1000)
    assert (bench.dispatch().released, bench.blocked()) == (1, "rate_limit_tokens")
    (claim,) = bench.claim()
    usage = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
    closing = Closing(outcome="completed", delivery="answered", may_be_billed=True, usage=usage)
    bench.runs().finish(claim, COMPLETED, closing)
    assert bench.dispatch().released == 1, "what was reserved and not used is there again"
    (claim,) = bench.claim()
    more = {"input_tokens": 0, "output_tokens": 50_000, "total_tokens": 50_000}
    bench.runs().finish(
        claim, COMPLETED, Closing(outcome="completed", delivery="answered", may_be_billed=True, usage=more)
    )
    clock.forward(25)
    assert bench.dispatch().released == 0, "what was used beyond the reservation is paid for with time"
    clock.forward(10)
    assert bench.dispatch().released == 1


def test_a_job_bigger_than_the_clock_holds_goes_once_the_clock_is_full(bench: Bench, clock: Clock) -> None:
    bench.limit(tokens_per_minute=1000)
    bench.fill(1, tokens=5000)
    bench.fill(1, tokens=1)
    assert bench.dispatch().released == 1
    clock.forward(4 * MINUTE)
    assert bench.dispatch().released == 0
    clock.forward(2 * MINUTE)
    assert bench.dispatch().released == 1


def test_when_tokens_refuse_a_job_no_request_is_spent(bench: Bench, clock: Clock) -> None:
    bench.limit(requests_per_minute=60, burst=10, tokens_per_minute=600)
    bench.fill(2, tokens=100)
    assert bench.dispatch().released == 1
    requests = bench.client.hget(keys.lane(LANE), "requests")
    assert bench.dispatch().released == 0
    clock.forward(0)
    assert bench.dispatch().released == 0
    assert bench.client.hget(keys.lane(LANE), "requests") == requests


def test_a_paused_lane_waits_and_says_why(bench: Bench, clock: Clock) -> None:
    (claim,) = bench.run_all()
    bench.runs().throttle(claim, pause_seconds=30, reason="rate_limited", cut="pause")
    bench.fill(1)
    done = bench.dispatch()
    assert (done.released, bench.blocked()) == (0, "lane_paused: rate_limited")
    assert done.wake_seconds is not None
    assert 29 < done.wake_seconds <= 30
    clock.forward(30)
    assert bench.dispatch().released == 1


def test_a_shorter_pause_does_not_end_a_longer_one(bench: Bench, clock: Clock) -> None:
    (claim,) = bench.run_all()
    for seconds in (60, 1):
        bench.runs().throttle(claim, pause_seconds=seconds, reason="rate_limited", cut="pause")
    bench.fill(1)
    clock.forward(30)
    assert bench.dispatch().released == 0


def one_slot_turns(bench: Bench, turns: int, **after: object) -> list[str]:
    """Who goes, `model/project`, when one slot is free at a time; `after` is submitted anew each time it went."""
    went = []
    for _ in range(turns):
        assert bench.dispatch().released == 1
        (claim,) = bench.claim()
        job = bench.job(claim.number)
        went.append(f"{job.model}/{job.project}")
        if after and after.items() <= {"model": job.model, "project": job.project}.items():
            bench.submit(**after)
        bench.runs().finish(claim, COMPLETED, ANSWERED)
    return went


def test_lanes_take_turns_when_slots_are_scarce(bench: Bench) -> None:
    for model in ("a", "b", "c"):
        bench.fill(5, slots=1, model=model)
    assert Counter(one_slot_turns(bench, 9)) == {"a/default": 3, "b/default": 3, "c/default": 3}


def test_a_lane_that_is_filled_one_by_one_does_not_push_ahead(bench: Bench) -> None:
    bench.fill(10, slots=1, model="z")
    bench.submit(model="a")
    assert Counter(one_slot_turns(bench, 8, model="a")) == {"a/default": 4, "z/default": 4}


def test_projects_of_a_lane_take_turns_whoever_has_more(bench: Bench) -> None:
    bench.fill(50, slots=12, project="big")
    bench.fill(6, slots=12, project="small")
    bench.dispatch()
    assert Counter(bench.job(claim.number).project for claim in bench.claim()) == {"big": 6, "small": 6}


@pytest.mark.parametrize("one_by_one", ["a", "z"])
def test_a_project_that_sends_one_job_at_a_time_does_not_push_ahead(bench: Bench, one_by_one: str) -> None:
    bench.fill(10, slots=1, project="p")
    bench.submit(model="m", project=one_by_one)
    went = Counter(one_slot_turns(bench, 8, model="m", project=one_by_one))
    assert went == {f"m/{one_by_one}": 4, "m/p": 4}


def test_a_project_that_comes_late_gets_no_credit_for_its_absence(bench: Bench) -> None:
    bench.fill(30, slots=1, project="old")
    one_slot_turns(bench, 10)
    for _ in range(10):
        bench.submit(model="m", project="new")
    went = Counter(one_slot_turns(bench, 10))
    assert went["m/new"] - went["m/old"] in (0, 2), "the one that comes may be first, and that is all"


def test_one_lane_that_may_not_go_holds_up_no_other(bench: Bench) -> None:
    bench.limits = Limits(models={"slow": LaneLimits(requests_per_minute=1)})
    bench.fill(5, model="slow")
    bench.fill(5, model="fast")
    assert bench.dispatch().released == 6


def test_a_dispatch_is_bounded_and_says_to_go_on_at_once(bench: Bench) -> None:
    bench.fill(MOST_JOBS + 1)
    first, second = bench.dispatch(), bench.dispatch()
    assert (first.released, first.wake_seconds, second.released, second.wake_seconds) == (MOST_JOBS, 0, 1, None)


def test_one_leads_and_the_others_stand_by(bench: Bench) -> None:
    bench.fill(1)
    assert bench.dispatch("w1").leads
    other = bench.dispatch("w2")
    assert (other.leads, other.released, other.wake_seconds) == (False, 0, None)
    bench.workers.leave("w1")
    assert bench.dispatch("w2").leads


def test_a_submit_wakes_the_dispatcher_once_until_it_has_looked(bench: Bench) -> None:
    with bench.client.pubsub(ignore_subscribe_messages=True) as wakes:
        wakes.subscribe(keys.WAKE)
        wakes.get_message(timeout=5)
        bench.dispatch()
        for _ in range(3):
            bench.submit()
        assert wakes.get_message(timeout=5) is not None
        bench.client.publish(keys.WAKE, "last")
        assert wakes.get_message(timeout=5)["data"] == b"last"


def test_an_entry_whose_record_is_gone_is_passed_over(bench: Bench) -> None:
    gone, here = bench.fill(2)
    bench.client.delete(keys.job(gone))
    assert bench.dispatch().released == 1
    assert [claim.number for claim in bench.claim()] == [here]


def test_a_message_is_what_celery_decodes(bench: Bench, redis_url: str) -> None:
    numbers = bench.fill(65)
    bench.dispatch()
    queue = keys.worker_queue("w1")
    with Connection(redis_url) as connection, connection.channel() as channel:
        messages = [channel.basic_get(queue, no_ack=True) for _ in range(3)]
    assert messages[2] is None
    assert len({message.delivery_tag for message in messages[:2]}) == 2
    found = []
    for message in messages[:2]:
        (ids, dispatch), kwargs, embed = message.decode()
        assert (kwargs, set(embed.values())) == ({}, {None})
        assert message.headers["task"] == TASK
        assert message.headers["id"] == message.properties["correlation_id"]
        assert message.delivery_info["routing_key"] == queue
        assert len(ids) <= 64
        found += [claim.number for claim in bench.runs().claim(ids, dispatch=str(dispatch), nonce="n")]
    assert found == numbers


def test_what_is_kept_of_lanes_and_queues_expires(bench: Bench) -> None:
    bench.fill(1)
    bench.dispatch()
    for key in (keys.lane(LANE), keys.worker_queue("w1")):
        assert 86_000 < bench.client.ttl(key) <= 86_400
    assert 0 < bench.client.pttl(keys.DISPATCHER) <= 3000


def test_a_lane_that_was_forgotten_while_its_call_ran_is_forgotten_again(bench: Bench) -> None:
    (claim,) = bench.run_all()
    bench.client.delete(keys.lane(LANE))
    usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    bench.runs().finish(
        claim, COMPLETED, Closing(outcome="completed", delivery="answered", may_be_billed=True, usage=usage)
    )
    assert bench.client.ttl(keys.lane(LANE)) > 0


@pytest.mark.parametrize("what", ["snooze", "cancel", "die", "unclaimed"])
def test_tokens_reserved_for_what_was_not_billed_are_free_again(bench: Bench, what: str) -> None:
    bench.limit(tokens_per_minute=60_000)
    claim = bench.run_one(tokens=60_000)
    match what:
        case "snooze":
            bench.runs().snooze(claim, UNSENT, delay_seconds=100, reason="rate")
        case "cancel":
            bench.store.cancel(claim.number, project=None)
        case "die":
            bench.kill("w1")
            bench.sweep()
            bench.store.cancel(claim.number, project=None)
        case "unclaimed":
            bench.runs().snooze(claim, UNSENT, delay_seconds=0, reason="rate")
            bench.dispatch()
            bench.make_due("dispatched")
            bench.sweep()
            bench.store.cancel(claim.number, project=None)
            bench.client.hdel(keys.worker("w1"), "stalled")
    bench.submit(tokens=60_000)
    bench.beat("w1")
    assert bench.dispatch().released == 1


def test_no_estimate_closes_a_lane_for_more_than_ten_minutes(bench: Bench, clock: Clock) -> None:
    bench.limit(tokens_per_minute=10)
    bench.fill(2, tokens=10_000_000)
    assert bench.dispatch().released == 1
    clock.forward(500)
    assert bench.dispatch().released == 0
    clock.forward(100)
    assert bench.dispatch().released == 1


def test_no_models_name_gets_in_the_way_of_anothers_keys(bench: Bench) -> None:
    for model in ("m", "m:slots", "m:projects", "m:queue:default", ":", "{respool}:lanes"):
        bench.submit(model=model)
    bench.beat("w1")
    assert bench.dispatch().released == 6


def test_what_a_clock_owes_is_paid_sooner_when_its_rate_is_raised(bench: Bench, clock: Clock) -> None:
    bench.limit(requests_per_minute=6)
    bench.fill(3)
    before = bench.dispatch()
    assert (before.released, before.wake_seconds) == (1, pytest.approx(10, rel=0.1))
    bench.lanes.change(LANE, {"requests_per_minute": 60}, reason="", by="me")
    after = bench.dispatch()
    assert after.wake_seconds is not None
    assert 0 < after.wake_seconds <= 1
    clock.forward(1.1)
    assert bench.dispatch().released == 1


def test_lanes_that_were_not_used_for_a_day_are_dropped_by_a_dispatch(bench: Bench, clock: Clock) -> None:
    bench.run_all()
    clock.forward(86_500)
    bench.run_all(model="n")
    assert bench.client.zrange(keys.LANES, 0, -1) == [b"default:n"]
