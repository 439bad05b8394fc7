"""Responses that go on upstream without anyone listening."""

from dataclasses import replace

import pytest

from jobs import keys
from jobs.accounts import Account
from jobs.claims import Claim
from jobs.closings import Closing
from jobs.limits import LaneLimits, Limits
from jobs.record import Stage
from tests.fakes.bench import COMPLETED, FAILED, FAILURE, UNSENT, Bench, answered
from tests.fakes.clock import Clock

SENT = Closing(outcome="snoozed", delivery="sent", may_be_billed=False)


def begun(bench: Bench, worker: str = "w1", **changes: object) -> Claim:
    """A job whose response was begun upstream."""
    claim = bench.run_one(worker, **{"model": "m"} | changes)
    assert bench.runs(worker).mark_sent(claim)
    assert bench.runs(worker).keep_upstream(claim, "resp_up")
    return claim


def lose(bench: Bench, worker: str = "w1") -> None:
    bench.kill(worker)
    bench.sweep()


def next_claim(bench: Bench, worker: str = "w2") -> Claim:
    bench.beat(worker)
    bench.dispatch()
    (claim,) = bench.claim(worker)
    return claim


def test_a_first_claim_names_no_response(bench: Bench) -> None:
    assert bench.run_one().upstream_id is None


def test_the_id_is_shown_at_the_attempt_from_the_start(bench: Bench) -> None:
    claim = begun(bench)
    assert bench.job(claim.number).attempts[0]["upstream_response_id"] == "resp_up"


def test_only_the_worker_that_runs_the_attempt_may_keep_an_id(bench: Bench) -> None:
    claim = bench.run_one()
    assert bench.runs("w2").keep_upstream(claim, "other") is False
    bench.store.cancel(claim.number, project=None)
    assert bench.runs().keep_upstream(claim, "late") is False
    assert bench.client.hget(keys.job(claim.number), "upstream") is None


@pytest.mark.parametrize(("on_unknown", "max_attempts"), [("fail", 1), ("retry", 1), ("retry", 3)])
def test_a_job_whose_worker_died_is_asked_for_by_another_and_no_attempt_is_spent(
    bench: Bench, on_unknown: str, max_attempts: int
) -> None:
    claim = begun(bench, on_unknown=on_unknown, max_attempts=max_attempts)
    lose(bench)
    job = bench.job(claim.number)
    assert (job.status, job.stage, job.attempts_spent) == ("queued", Stage.WAITING, 0)
    assert (job.attempts[0]["outcome"], job.attempts[0]["may_be_billed"]) == ("lost", False)
    again = next_claim(bench)
    assert (again.upstream_id, again.lane, again.attempt) == ("resp_up", claim.lane, 2)
    assert bench.job(claim.number).attempts[1]["upstream_response_id"] == "resp_up"
    assert bench.runs("w2").finish(again, COMPLETED, answered(7)) == "finished"
    assert bench.job(claim.number).attempts_spent == 1


def accounts(bench: Bench, **lanes: LaneLimits) -> None:
    bench.limits = Limits(
        accounts=tuple(Account(name=name, url="https://example.test") for name in ("one", "two")),
        lanes={f"{name}:m": limits for name, limits in lanes.items()},
    )


def test_it_waits_for_the_account_where_it_was_begun(bench: Bench, clock: Clock) -> None:
    accounts(bench)
    bench.lanes.pause("one:m", seconds=60, reason="full", by="me")
    claim = begun(bench)
    assert claim.lane == "two:m"
    bench.lanes.resume("one:m", reason="", by="me")
    lose(bench)
    assert (bench.job(claim.number).backlog, bench.job(claim.number).lane) == ("two:m", "two:m")
    assert next_claim(bench).lane == "two:m"


def test_asking_for_it_takes_nothing_of_the_rates(bench: Bench, clock: Clock) -> None:
    bench.limit(requests_per_minute=1, tokens_per_minute=10, ramp_per_second=0.01)
    begun(bench)
    lose(bench)
    assert next_claim(bench).upstream_id == "resp_up"
    assert bench.lanes.get("default:m").requests_last_minute == 1


def test_asking_for_it_waits_for_a_slot_of_the_lane_like_any_call(bench: Bench, clock: Clock) -> None:
    bench.limit(in_flight=1)
    claim = begun(bench)
    bench.submit(model="m")
    lose(bench)
    bench.beat("w2")
    bench.dispatch()
    (first,) = bench.claim("w2")
    assert bench.dispatch().released == 0
    bench.runs("w2").finish(first, COMPLETED, answered(1))
    assert bench.dispatch().released == 1
    assert bench.job(claim.number).finished_at is None or first.number == claim.number


def test_its_tokens_stay_reserved_until_its_usage_is_known(bench: Bench, clock: Clock) -> None:
    bench.limit(tokens_per_minute=60_000)
    claim = begun(bench, tokens=60_000)
    lose(bench)
    bench.submit(model="m", tokens=60_000)
    bench.beat("w2")
    bench.dispatch()
    (again,) = bench.claim("w2")
    assert again.number == claim.number
    assert (bench.dispatch().released, bench.blocked()) == (0, "rate_limit_tokens")


def test_a_call_that_polls_later_keeps_the_response_and_spends_nothing(bench: Bench, clock: Clock) -> None:
    claim = begun(bench)
    assert bench.runs().poll_later(claim, SENT, delay_seconds=30, reason="account_overdue") is True
    job = bench.job(claim.number)
    assert (job.stage, job.reason, job.attempts_spent, job.backlog) == (
        Stage.DELAYED, "account_overdue", 0, "default:m",
    )  # fmt: skip
    clock.forward(30)
    assert bench.sweep().due == 1
    again = next_claim(bench, "w1")
    assert (again.upstream_id, again.snoozes) == ("resp_up", 1)


@pytest.mark.parametrize("way", ["retry", "snooze", "unless_down"])
def test_a_retry_and_a_snooze_forget_it_and_go_back_to_every_account(bench: Bench, clock: Clock, way: str) -> None:
    claim = begun(bench)
    match way:
        case "retry":
            bench.runs().retry(claim, FAILED, delay_seconds=0)
        case "unless_down":
            bench.runs().retry(claim, UNSENT, delay_seconds=0, spend="unless_down")
        case _:
            bench.runs().snooze(claim, UNSENT, delay_seconds=0, reason="rate")
    assert bench.job(claim.number).backlog == "*:m"
    assert next_claim(bench, "w1").upstream_id is None


def test_an_old_attempt_that_is_put_back_late_does_not_forget_the_new_ones_response(bench: Bench) -> None:
    claim = begun(bench)
    lose(bench)
    again = next_claim(bench)
    assert bench.runs("w1").retry(claim, FAILED, delay_seconds=0) == "gone"
    assert bench.client.hget(keys.job(claim.number), "upstream") == b"resp_up"
    assert bench.runs("w2").finish(again, COMPLETED, answered(1)) == "finished"


def test_a_job_that_waits_for_its_response_can_be_cancelled(bench: Bench) -> None:
    claim = begun(bench)
    lose(bench)
    assert bench.store.cancel(claim.number, project=None).status == "cancelled"
    bench.beat("w2")
    assert bench.dispatch().released == 0
    assert bench.slots(claim.lane) == set()


def test_a_scan_finds_it_where_it_waits_and_puts_it_back_there(bench: Bench) -> None:
    claim = begun(bench)
    lose(bench)
    assert sum(bench.workers.scan()) == 0
    bench.client.delete(keys.backlog_jobs("default:m", "default"))
    assert sum(bench.workers.scan()) == 1
    assert next_claim(bench).number == claim.number


def test_a_job_that_is_tried_again_by_hand_begins_anew(bench: Bench) -> None:
    claim = begun(bench)
    bench.runs().finish(claim, FAILURE, FAILED)
    bench.store.retry(claim.number, project=None)
    assert bench.job(claim.number).backlog == "*:m"
    assert next_claim(bench, "w1").upstream_id is None


@pytest.mark.parametrize("way", ["lost", "later"])
def test_a_queue_deadline_ends_no_job_whose_response_goes_on_upstream(bench: Bench, clock: Clock, way: str) -> None:
    claim = begun(bench, queue_deadline_seconds=100.0)
    clock.forward(200)
    if way == "lost":
        lose(bench)
    else:
        bench.runs().poll_later(claim, SENT, delay_seconds=0, reason="account_overdue")
    assert bench.sweep().expired == 0
    assert next_claim(bench, "w1").upstream_id == "resp_up"


def test_one_response_that_two_attempts_heard_of_is_paid_for_once(bench: Bench, clock: Clock) -> None:
    claim = begun(bench, project="p")
    lose(bench)
    again = next_claim(bench)
    assert bench.runs("w1").finish(claim, COMPLETED, answered(7, upstream_response_id="resp_up")) == "finished"
    assert bench.runs("w2").finish(again, COMPLETED, answered(7, upstream_response_id="resp_up")) == "late"
    assert bench.projects.get("p").tokens_today == 7
    assert bench.slots(claim.lane) == set()


def test_what_was_cancelled_upstream_late_books_its_usage(bench: Bench) -> None:
    claim = begun(bench, project="p")
    bench.store.cancel(claim.number, project=None)
    bench.runs().finish(claim, COMPLETED, answered(9))
    assert bench.projects.get("p").tokens_today == 9


def test_a_claim_and_its_attempt_name_the_lane(bench: Bench) -> None:
    claim = bench.run_one(model="a:b/c d")
    assert claim.lane == "default:a:b/c d"
    (attempt,) = bench.job(claim.number).attempts
    assert (attempt["lane"], attempt["series"]) == ("default:a:b/c d", 1)


@pytest.mark.parametrize("unknown_first", [True, False])
def test_one_response_is_not_assumed_billed_besides_its_known_usage(bench: Bench, unknown_first: bool) -> None:
    first = begun(bench)
    lose(bench)
    second = next_claim(bench)
    unknown, known = replace(FAILED, upstream_response_id="resp_up"), answered(7, upstream_response_id="resp_up")
    if unknown_first:
        bench.runs("w1").retry(first, unknown, delay_seconds=0)
    bench.runs("w2").finish(second, COMPLETED, known)
    if not unknown_first:
        bench.runs("w1").retry(first, unknown, delay_seconds=0)
    assert bench.projects.get("default").tokens_today == 7


@pytest.mark.parametrize("polls_later", [True, False])
def test_cancelling_a_job_whose_response_goes_on_upstream_says_that_it_may_be_billed(
    bench: Bench, polls_later: bool
) -> None:
    claim = begun(bench, tokens=30)
    if polls_later:
        bench.runs("w1").poll_later(claim, SENT, delay_seconds=60, reason="later")
    else:
        lose(bench)
    bench.store.cancel(claim.number, project=None)
    (entry,) = bench.job(claim.number).attempts
    assert (entry["outcome"], entry["may_be_billed"]) == ("cancelled", True)
    assert bench.projects.get("default").tokens_today == 30


@pytest.mark.parametrize("parked_before", [True, False])
def test_it_is_asked_for_though_its_project_has_overspent(bench: Bench, clock: Clock, parked_before: bool) -> None:
    bench.projects.change("p", {"tokens_per_day": 100})
    claim = begun(bench, project="p")
    other = bench.run_one(project="p", model="m")
    bench.submit(project="p", backlog=claim.lane, model="m", priority=9)
    bench.runs().finish(other, COMPLETED, answered(200))
    if parked_before:
        bench.runs().poll_later(claim, SENT, delay_seconds=10, reason="later")
        assert bench.dispatch().released == 0
        clock.forward(10)
        assert bench.sweep().due == 1
    else:
        lose(bench)
    assert next_claim(bench, "w1" if parked_before else "w2").upstream_id == "resp_up"
    assert bench.dispatch().released == 0


def test_it_is_asked_for_before_anything_new_is_begun(bench: Bench, clock: Clock) -> None:
    bench.limit(in_flight=1)
    claim = begun(bench, priority=0)
    for _ in range(3):
        bench.submit(model="m", backlog=claim.lane, priority=9)
    lose(bench)
    assert next_claim(bench).number == claim.number


def broken(bench: Bench, count: int = 3) -> None:
    """So many calls find no endpoint, which closes the lane for 2 s."""
    for each in bench.run_all(count):
        bench.runs().throttle(each, pause_seconds=0, reason="down", cut="endpoint")
        bench.runs().snooze(each, UNSENT, delay_seconds=0, reason="down")


def test_asking_for_it_is_no_probe_and_waits_for_none(bench: Bench, clock: Clock) -> None:
    claims = [begun(bench), begun(bench)]
    broken(bench)
    clock.forward(2)
    bench.runs().poll_later(claims[0], SENT, delay_seconds=0, reason="later")
    assert bench.dispatch().released == 2, "it and a probe"
    bench.runs().poll_later(claims[1], SENT, delay_seconds=0, reason="later")
    assert bench.dispatch().released == 1, "it, though a probe is under way"
    polled = [claim for claim in bench.claim() if claim.upstream_id]
    assert sorted(claim.number for claim in polled) == sorted(claim.number for claim in claims)


def test_of_a_long_row_of_polls_that_were_lost_the_oldest_go(bench: Bench) -> None:
    claim = begun(bench, "w0")
    for turn in range(105):
        lose(bench, f"w{turn}")
        next_claim(bench, f"w{turn + 1}")
        bench.client.hdel(keys.job(claim.number), "lost")  # as by a worker that outlives it
    attempts = bench.job(claim.number).attempts
    assert len(attempts) == 100
    assert (attempts[0]["number"], attempts[0]["delivery"], attempts[-1]["number"]) == (1, "sent", 106)
