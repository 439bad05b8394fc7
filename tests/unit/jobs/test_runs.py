import json
from dataclasses import fields
from typing import Any

import pytest

from jobs import keys
from jobs.claims import Claim
from jobs.closings import MOST_TOKENS, Closing, End
from jobs.errors import JobNotEnded
from jobs.runs import SMALL_REQUEST_BYTES
from jobs.usage import UsageLedger
from tests.fakes.bench import ANSWERED, COMPLETED, FAILED, FAILURE, UNSENT, Bench

USAGE = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}


def answered(**changes: object) -> Closing:
    values = {"outcome": "completed", "delivery": "answered", "may_be_billed": True} | changes
    return Closing(**values)  # type: ignore[arg-type]


UNSENT_SNOOZED = Closing(outcome="snoozed", delivery="answered", may_be_billed=False)


def counted(bench: Bench) -> dict[str, int]:
    ledger = UsageLedger(bench.client)
    today = ledger.today()
    rows = ledger.rows(project=None, first=today, last=today)
    return rows[0].counts if rows else {}


def test_a_claim_brings_what_the_attempt_needs(bench: Bench) -> None:
    number = bench.submit(model="m", project="p", body=b"\x00body", echo="{}", tokens=5, max_attempts=4)
    bench.beat("w1")
    bench.dispatch()
    (claim,) = bench.claim()
    assert claim == Claim(
        number=number, attempt=1, attempts_spent=0, max_attempts=4, on_unknown="retry", run_timeout_seconds=60.0,
        lane="default:m", echo=b"{}", created_at=bench.job(number).created_at, body=b"\x00body", project="p",
    )  # fmt: skip
    job = bench.job(number)
    assert (job.status, job.started_at is not None) == ("in_progress", True)
    assert [(a["number"], a["worker"], a["outcome"]) for a in job.attempts] == [(1, "w1", "running")]


@pytest.mark.parametrize(("size", "comes_along"), [(SMALL_REQUEST_BYTES // 2, True), (SMALL_REQUEST_BYTES + 1, False)])
def test_a_long_body_is_read_apart(bench: Bench, size: int, comes_along: bool) -> None:
    body = b"x" * size
    claim = bench.run_one(body=body)
    assert (claim.body is not None) is comes_along
    assert bench.runs().body(claim) == body


def test_the_body_of_a_job_that_is_gone_is_empty(bench: Bench) -> None:
    claim = bench.run_one(body=b"x" * (SMALL_REQUEST_BYTES + 1))
    bench.client.delete(keys.job(claim.number))
    assert bench.runs().body(claim) == b""


def test_a_claim_with_another_dispatch_number_or_by_another_worker_is_refused(bench: Bench) -> None:
    number = bench.submit()
    bench.beat("w1")
    bench.dispatch()
    (release,) = bench.releases()
    assert bench.runs("w1").claim([number], dispatch=str(int(release.dispatch) + 1), nonce="n") == []
    assert bench.runs("w2").claim([number], dispatch=release.dispatch, nonce="n") == []
    assert bench.runs("w1").claim(["f" * 32, number], dispatch=release.dispatch, nonce="n")[0].number == number


def test_a_claim_repeated_with_its_nonce_gets_the_same_answer_and_a_doubled_message_nothing(bench: Bench) -> None:
    number = bench.submit()
    bench.beat("w1")
    bench.dispatch()
    (release,) = bench.releases()
    claims = [bench.runs().claim([number], dispatch=release.dispatch, nonce=nonce) for nonce in ("a", "a", "b")]
    assert claims[0] == claims[1]
    assert claims[2] == []
    assert len(bench.job(number).attempts) == 1


def test_a_message_that_was_overtaken_by_a_newer_release_is_refused(bench: Bench) -> None:
    number = bench.submit()
    bench.beat("w1")
    bench.dispatch()
    (old,) = bench.releases()
    bench.make_due("dispatched")
    assert bench.sweep().unclaimed == 1
    bench.beat("w2")
    bench.dispatch()
    assert bench.runs("w1").claim([number], dispatch=old.dispatch, nonce="n") == []
    assert [claim.number for claim in bench.claim("w2")] == [number]


def test_a_cancelled_job_is_not_claimed_and_not_sent(bench: Bench) -> None:
    number = bench.submit()
    bench.beat("w1")
    bench.dispatch()
    bench.store.cancel(number, project=None)
    assert bench.claim() == []
    claim = bench.run_one()
    bench.store.cancel(claim.number, project=None)
    assert bench.runs().mark_sent(claim) is False


def test_only_the_worker_that_holds_the_attempt_may_send(bench: Bench) -> None:
    claim = bench.run_one()
    assert bench.runs("w2").mark_sent(claim) is False
    assert bench.runs("w1").mark_sent(claim) is True
    bench.runs().retry(claim, FAILED, delay_seconds=0)
    assert bench.runs("w1").mark_sent(claim) is False


def test_a_finish_writes_result_attempt_and_usage_and_frees_the_slot(bench: Bench) -> None:
    claim = bench.run_one()
    closing = answered(http_status=200, upstream_request_id="req", upstream_response_id="up", usage=USAGE, nano=12)
    end = End(status="incomplete", response=b'{"a":1}', raw=b"raw", usage=USAGE)
    assert bench.runs().finish(claim, end, closing) == "finished"
    job = bench.job(claim.number)
    assert (job.status, job.response, job.usage, job.attempts_spent) == ("incomplete", {"a": 1}, USAGE, 1)
    assert job.finished_at is not None
    assert job.expires_at == pytest.approx(job.finished_at + 3600)
    (attempt,) = job.attempts
    assert (attempt["outcome"], attempt["http_status"], attempt["upstream_request_id"]) == ("completed", 200, "req")
    assert attempt["finished_at"] >= attempt["started_at"]
    assert bench.slots(claim.lane) == bench.workers.held_by("w1") == set()
    assert counted(bench) == USAGE | {"incomplete": 1, "cached_tokens": 0, "reasoning_tokens": 0, "cost_nano": 12}


def lose(bench: Bench, worker: str = "w1") -> None:
    bench.kill(worker)
    bench.sweep()


def test_a_late_result_of_a_lost_attempt_ends_the_job_and_the_attempt_under_way_is_called_off(bench: Bench) -> None:
    first = bench.run_one("w1")
    bench.runs("w1").mark_sent(first)
    lose(bench)
    bench.beat("w2")
    bench.dispatch()
    (second,) = bench.claim("w2")
    assert bench.runs("w1").finish(first, COMPLETED, answered(usage=USAGE)) == "finished"
    assert bench.slots(first.lane) == {first.number}
    assert bench.beat("w2") == [first.number]
    assert bench.runs("w2").finish(second, COMPLETED, answered(usage=USAGE)) == "late"
    assert bench.slots(first.lane) == set()
    assert counted(bench)["total_tokens"] == 14
    assert counted(bench)["completed"] == 1
    assert [attempt["outcome"] for attempt in bench.job(first.number).attempts] == ["completed", "completed"]


def test_an_attempt_that_was_called_off_and_then_lost_is_not_shown_as_running(bench: Bench) -> None:
    first = bench.run_one("w1")
    bench.runs("w1").mark_sent(first)
    lose(bench)
    bench.beat("w2")
    bench.dispatch()
    (second,) = bench.claim("w2")
    bench.runs("w2").mark_sent(second)
    bench.runs("w1").finish(first, COMPLETED, ANSWERED)
    lose(bench, "w2")
    attempts = bench.job(first.number).attempts
    assert [(a["outcome"], a["may_be_billed"]) for a in attempts] == [("completed", True), ("lost", True)]
    assert bench.slots(first.lane) == set()


@pytest.mark.parametrize("under_way", [True, False])
def test_a_late_failure_of_a_lost_attempt_does_not_end_the_job(bench: Bench, under_way: bool) -> None:
    first = bench.run_one("w1")
    bench.runs("w1").mark_sent(first)
    lose(bench)
    if under_way:
        bench.beat("w2")
        bench.dispatch()
        bench.claim("w2")
    assert bench.runs("w1").finish(first, FAILURE, FAILED) == "stale"
    job = bench.job(first.number)
    assert (job.status, job.attempts_spent) == ("in_progress" if under_way else "queued", 1)


def test_a_late_result_takes_a_waiting_job_out_of_the_queue_and_spends_no_second_attempt(bench: Bench) -> None:
    first = bench.run_one("w1")
    bench.runs("w1").mark_sent(first)
    lose(bench)
    assert bench.runs("w1").finish(first, COMPLETED, ANSWERED) == "finished"
    assert bench.job(first.number).attempts_spent == 1
    bench.beat("w2")
    assert bench.dispatch().released == 0


def test_the_end_of_a_job_that_was_deleted_is_late(bench: Bench) -> None:
    claim = bench.run_one("w1")
    bench.runs("w1").mark_sent(claim)
    lose(bench)
    bench.store.cancel(claim.number, project=None)
    bench.store.delete(claim.number, project=None)
    assert bench.runs().finish(claim, COMPLETED, ANSWERED) == "late"
    assert bench.slots(claim.lane) == bench.workers.held_by("w1") == set()


def test_a_cancelled_job_is_kept_until_its_worker_has_hung_up(bench: Bench) -> None:
    claim = bench.run_one()
    bench.store.cancel(claim.number, project=None)
    with pytest.raises(JobNotEnded):
        bench.store.delete(claim.number, project=None)
    assert bench.slots(claim.lane) == bench.workers.held_by("w1") == {claim.number}
    bench.runs().finish(claim, COMPLETED, ANSWERED)
    bench.store.delete(claim.number, project=None)
    assert bench.slots(claim.lane) == bench.workers.held_by("w1") == set()


def test_a_retry_spends_an_attempt_and_waits_for_its_time(bench: Bench) -> None:
    claim = bench.run_one()
    assert bench.runs().retry(claim, FAILED, delay_seconds=60) == "put_back"
    job = bench.job(claim.number)
    assert (job.status, job.stage, job.attempts_spent, job.reason) == ("queued", "delayed", 1, "retry_at")
    assert job.due_at is not None
    assert bench.slots(claim.lane) == set()
    assert bench.dispatch().released == 0
    bench.make_due("delayed")
    assert bench.sweep().due == 1
    bench.dispatch()
    (again,) = bench.claim()
    assert (again.attempt, again.attempts_spent) == (2, 1)


def test_a_snooze_spends_none(bench: Bench) -> None:
    claim = bench.run_one()
    assert bench.runs().snooze(claim, UNSENT, delay_seconds=0, reason="rate_limited") is True
    assert (bench.job(claim.number).stage, bench.job(claim.number).attempts_spent) == ("waiting", 0)


def test_a_failed_attempt_that_took_tokens_is_in_the_usage_too(bench: Bench) -> None:
    claim = bench.run_one()
    bench.runs().retry(claim, answered(outcome="failed", usage=USAGE), delay_seconds=0)
    assert counted(bench)["total_tokens"] == 7


def test_a_cancelled_job_is_not_put_back_and_its_slot_is_free(bench: Bench) -> None:
    claim = bench.run_one()
    bench.store.cancel(claim.number, project=None)
    assert bench.runs().retry(claim, FAILED, delay_seconds=0) == "gone"
    assert bench.job(claim.number).status == "cancelled"
    assert bench.slots(claim.lane) == set()


def test_usage_that_comes_after_a_cancel_is_booked_and_shown_on_the_attempt(bench: Bench) -> None:
    claim = bench.run_one()
    bench.runs().mark_sent(claim)
    bench.store.cancel(claim.number, project=None)
    bench.runs().finish(claim, COMPLETED, answered(usage=USAGE))
    (attempt,) = bench.job(claim.number).attempts
    assert (attempt["outcome"], attempt["usage"]["total_tokens"]) == ("cancelled", 7)
    assert counted(bench)["total_tokens"] == 7


def test_an_absurd_count_of_tokens_does_not_keep_a_job_from_ending(bench: Bench) -> None:
    for _ in range(2):
        claim = bench.run_one()
        usage = {"input_tokens": 10**30, "output_tokens": 0, "total_tokens": 10**30}
        assert bench.runs().finish(claim, COMPLETED, answered(usage=usage)) == "finished"
    assert counted(bench)["total_tokens"] == 2 * MOST_TOKENS


def test_a_hundred_attempts_are_kept_and_no_more(bench: Bench) -> None:
    claim = bench.run_one()
    for _ in range(104):
        bench.runs().snooze(claim, UNSENT, delay_seconds=0, reason="rate_limited")
        bench.dispatch()
        (claim,) = bench.claim()
    attempts = bench.job(claim.number).attempts
    assert [attempts[0]["number"], attempts[-1]["number"], len(attempts)] == [6, 105, 100]
    assert bench.client.llen(keys.attempts(claim.number)) == 100


def test_however_often_a_job_is_refused_what_may_be_billed_stays_in_its_record(bench: Bench) -> None:
    first = bench.run_one(max_attempts=9)
    cut = Closing(outcome="failed", delivery="sent", may_be_billed=True)
    bench.runs().retry(first, cut, delay_seconds=0)
    for _ in range(120):
        bench.dispatch()
        (claim,) = bench.claim()
        bench.runs().snooze(claim, UNSENT_SNOOZED, delay_seconds=0, reason="rate")
    attempts = bench.job(first.number).attempts
    assert len(attempts) <= 101
    assert (attempts[0]["number"], attempts[0]["may_be_billed"]) == (1, True)
    assert attempts[-1]["number"] == 121


def test_an_attempts_entry_has_all_that_is_known_of_its_end_but_what_it_cost() -> None:
    known: dict[str, Any] = {
        "outcome": "failed",
        "delivery": "answered",
        "may_be_billed": True,
        "http_status": 500,
        "upstream_request_id": "r1",
        "upstream_response_id": "resp_up",
        "usage": {"total_tokens": 10**17},
        "error": {"code": "c"},
        "kind": "transient",
    }
    inner = {"usage": '{"total_tokens": 100000000000000000}', "error": '{"code": "c"}'}
    assert {*known, "nano"} == {field.name for field in fields(Closing)}
    assert json.loads(Closing(**known, nano=5).as_json()) == known | inner
