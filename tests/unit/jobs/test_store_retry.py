"""A failed job that somebody lets run again."""

import pytest

from jobs import keys
from jobs.claims import Claim
from jobs.closings import Closing
from jobs.errors import JobNotFailed, JobNotFound, OverLimit, QueueFull
from jobs.record import Job, Stage
from jobs.store import JobStore, Sameness
from tests.factories import new_job
from tests.fakes.bench import ANSWERED, COMPLETED, FAILED, FAILURE, Bench, answered
from tests.fakes.clock import Clock

REFUSED = Closing(outcome="failed", delivery="answered", may_be_billed=False, error={"code": "refused"})


def failed(bench: Bench, **changes: object) -> Claim:
    """A job that failed, and its last attempt."""
    claim = bench.run_one(**changes)
    bench.runs().finish(claim, FAILURE, REFUSED)
    return claim


def retry(bench: Bench, number: str) -> Job:
    bench.store.retry(number, project=None)
    return bench.job(number)


def run_again(bench: Bench) -> Claim:
    bench.beat("w1")
    bench.dispatch()
    (claim,) = bench.claim()
    return claim


def test_a_failed_job_is_queued_again_with_all_of_its_attempts_to_spend(bench: Bench) -> None:
    claim = bench.run_one(max_attempts=2)
    bench.runs().retry(claim, FAILED, delay_seconds=0)
    bench.dispatch()
    (second,) = bench.claim()
    bench.runs().finish(second, FAILURE, REFUSED)
    assert bench.job(claim.number).attempts_spent == 2
    job = retry(bench, claim.number)
    assert (job.status, job.stage, job.attempts_spent, job.max_attempts) == ("queued", Stage.WAITING, 0, 2)
    assert (job.error, job.response, job.finished_at, job.expires_at) == (None, None, None, None)


def test_its_attempts_stay_and_the_new_ones_are_of_the_next_series(bench: Bench) -> None:
    claim = failed(bench)
    for _ in range(2):
        retry(bench, claim.number)
        bench.runs().finish(run_again(bench), FAILURE, REFUSED)
    attempts = bench.job(claim.number).attempts
    assert [(attempt["number"], attempt["series"]) for attempt in attempts] == [(1, 1), (2, 2), (3, 3)]
    assert attempts[0]["error"] == {"code": "refused"}


def test_it_can_complete_and_ends_once(bench: Bench) -> None:
    claim = failed(bench)
    retry(bench, claim.number)
    again = run_again(bench)
    assert (again.number, again.attempt, again.attempts_spent, again.snoozes) == (claim.number, 2, 0, 0)
    assert bench.runs().finish(again, COMPLETED, ANSWERED) == "finished"
    job = bench.job(claim.number)
    assert (job.status, job.attempts_spent) == ("completed", 1)
    with pytest.raises(JobNotFailed, match="completed"):
        retry(bench, claim.number)


@pytest.mark.parametrize("status", ["queued", "in_progress", "completed", "cancelled"])
def test_a_job_that_has_not_failed_is_left_as_it_is(bench: Bench, status: str) -> None:
    match status:
        case "queued":
            number = bench.submit()
        case "in_progress":
            number = bench.run_one().number
        case "completed":
            claim = bench.run_one()
            bench.runs().finish(claim, COMPLETED, ANSWERED)
            number = claim.number
        case _:
            number = bench.submit()
            bench.store.cancel(number, project=None)
    before = bench.job(number)
    with pytest.raises(JobNotFailed, match=f"^{status}$"):
        retry(bench, number)
    assert bench.job(number) == before


def test_another_projects_job_does_not_exist(bench: Bench) -> None:
    claim = failed(bench, project="p")
    with pytest.raises(JobNotFound):
        bench.store.retry(claim.number, project="q")
    with pytest.raises(JobNotFound):
        bench.store.retry("0" * 32, project=None)
    bench.store.retry(claim.number, project="p")
    assert bench.job(claim.number).status == "queued"


def test_its_record_no_longer_expires_and_no_sweep_forgets_it(bench: Bench) -> None:
    claim = failed(bench)
    assert bench.client.ttl(keys.job(claim.number)) > 0
    retry(bench, claim.number)
    assert bench.client.ttl(keys.job(claim.number)) == bench.client.ttl(keys.attempts(claim.number)) == -1
    bench.make_due("ended")
    assert bench.sweep().forgotten == 0
    bench.runs().finish(run_again(bench), COMPLETED, ANSWERED)
    assert bench.client.ttl(keys.job(claim.number)) > 0
    bench.make_due("ended")
    assert bench.sweep().forgotten == 1


def test_its_idempotency_key_goes_on_to_name_it_until_it_has_ended(bench: Bench) -> None:
    same = Sameness(digest="ab", key="k")
    number = bench.store.submit(new_job(), same).number
    bench.runs().finish(run_again(bench), FAILURE, REFUSED)
    (key,) = bench.client.scan_iter(match=keys.PREFIX + "idempotency:*")
    assert bench.client.ttl(key) > 0
    retry(bench, number)
    assert bench.client.ttl(key) == -1
    found = bench.store.submit(new_job(), same)
    assert (found.number, found.created) == (number, False)


def test_its_queue_deadline_begins_anew(bench: Bench, clock: Clock) -> None:
    number = bench.submit(queue_deadline_seconds=100.0)
    clock.forward(101)
    assert bench.sweep().expired == 1
    retry(bench, number)
    clock.forward(99)
    assert (bench.sweep().expired, bench.job(number).status) == (0, "queued")
    clock.forward(2)
    assert bench.sweep().expired == 1
    assert bench.job(number).error is not None


def test_its_place_is_that_of_a_job_submitted_now(bench: Bench, clock: Clock) -> None:
    claim = failed(bench, model="m")
    clock.forward(1)
    other = bench.submit(model="m")
    clock.forward(1)
    retry(bench, claim.number)
    bench.dispatch()
    assert [each.number for each in bench.claim()] == [other, claim.number]


def test_its_priority_counts_again(bench: Bench, clock: Clock) -> None:
    claim = failed(bench, model="m", priority=9)
    other = bench.submit(model="m", priority=5)
    retry(bench, claim.number)
    bench.dispatch()
    assert [each.number for each in bench.claim()] == [claim.number, other]


def test_its_estimate_is_held_again_and_settled_again(bench: Bench, clock: Clock) -> None:
    claim = failed(bench, project="p", tokens=50, nano=10**9)
    assert bench.projects.get("p").held_tokens == 0
    bench.projects.change("p", {"tokens_per_day": 80, "submits_per_minute": 6})
    headroom = bench.store.retry(claim.number, project="p")
    assert headroom.tokens is not None
    assert headroom.requests is not None
    assert (headroom.tokens.remaining, headroom.requests.remaining) == (30, 5)
    project = bench.projects.get("p")
    assert (project.held_tokens, project.held_cost) == (50, 1.0)
    bench.runs().finish(run_again(bench), COMPLETED, answered(20))
    project = bench.projects.get("p")
    assert (project.held_tokens, project.tokens_today) == (0, 20)


@pytest.mark.parametrize(
    ("limit", "bound"), [("max_queued", 1), ("submits_per_minute", 1), ("tokens_per_day", 49), ("cost_per_day", 0.5)]
)
def test_the_limits_of_its_project_hold_for_it_as_for_a_submit(
    bench: Bench, clock: Clock, limit: str, bound: float
) -> None:
    claim = failed(bench, project="p", tokens=50, nano=10**9)
    bench.projects.change("p", {limit: bound})
    if limit in {"max_queued", "submits_per_minute"}:
        bench.submit(project="p", tokens=1)
    before = bench.job(claim.number)
    with pytest.raises(OverLimit) as caught:
        retry(bench, claim.number)
    never = limit.endswith("_per_day")
    assert (caught.value.limit, caught.value.retry_after_seconds is None) == (limit, never)
    assert bench.job(claim.number) == before
    assert bench.projects.get("p").held_tokens <= 1


def test_a_full_queue_takes_it_as_little_as_a_submit(bench: Bench) -> None:
    claim = failed(bench, body=b"x" * 60, echo="")
    assert bench.count("queued_bytes") == 0
    with pytest.raises(QueueFull, match="59"):
        JobStore(bench.client, max_queued_bytes=59).retry(claim.number, project=None)
    retry(bench, claim.number)
    assert bench.count("queued_bytes") == 60


def test_a_late_result_of_an_old_attempt_ends_it(bench: Bench) -> None:
    claim = bench.run_one(on_unknown="fail")
    bench.runs().mark_sent(claim)
    bench.kill("w1")
    bench.sweep()
    assert bench.job(claim.number).status == "failed"
    retry(bench, claim.number)
    assert bench.runs().finish(claim, COMPLETED, answered(7)) == "finished"
    job = bench.job(claim.number)
    assert (job.status, job.attempts[0]["outcome"]) == ("completed", "completed")
    bench.beat("w1")
    assert bench.dispatch().released == 0


def test_a_late_failure_of_an_old_attempt_does_not(bench: Bench) -> None:
    claim = failed(bench)
    retry(bench, claim.number)
    assert bench.runs().finish(claim, FAILURE, REFUSED) == "stale"
    again = run_again(bench)
    assert bench.runs().finish(claim, FAILURE, REFUSED) == "stale"
    assert bench.runs().retry(claim, FAILED, delay_seconds=0) == "gone"
    assert bench.job(claim.number).status == "in_progress"
    assert bench.runs().finish(again, COMPLETED, ANSWERED) == "finished"


def test_the_workers_it_was_lost_with_no_longer_count(bench: Bench) -> None:
    claim = bench.run_one("w0")
    for turn in range(3):
        bench.kill(f"w{turn}")
        bench.sweep()
        bench.make_due("delayed")
        bench.sweep()
        bench.beat(f"w{turn + 1}")
        bench.dispatch()
        bench.claim(f"w{turn + 1}")
    error = bench.job(claim.number).error
    assert error is not None
    assert error["code"] == "worker_lost"
    retry(bench, claim.number)
    bench.dispatch()
    bench.claim("w3")
    bench.kill("w3")
    bench.sweep()
    assert bench.job(claim.number).status == "queued"


def test_it_is_counted_and_listed_by_what_it_is_now(bench: Bench) -> None:
    claim = failed(bench, project="p")
    retry(bench, claim.number)
    assert bench.client.zcard(keys.index("p", "failed")) == 0
    assert bench.client.zcard(keys.index("p", "queued")) == 1
    assert not bench.client.exists(keys.PREFIX + "ended")
    assert sum(bench.workers.scan()) == 0
