from dataclasses import replace

import pytest

from jobs.accepted import as_accepted
from jobs.errors import JobNotFound
from jobs.trail import Trail
from jobs.webhooks.target import Webhook
from tests.factories import new_job, unique
from tests.fakes.bench import ANSWERED, COMPLETED, Bench

WEBHOOK = Webhook(url="sealed", origin="https://a.example:443", events=("response.completed",), secret="sealed too")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"metadata": {"a": "ü"}, "echo": '{"model": "m", "background": true}', "webhook": WEBHOOK},
        {"priority": 9, "tokens": 77, "nano": 5, "max_attempts": 7, "on_unknown": "fail", "project": "p"},
        {"queue_deadline_seconds": 0.0001, "run_timeout_seconds": 1.23456, "later_seconds": 3.5},
        {"queue_deadline_seconds": 1.5, "trail": Trail(request_id="req_1")},
    ],
)
def test_what_is_said_of_a_job_at_its_submit_is_what_a_read_would_have_found(
    bench: Bench, changes: dict[str, object]
) -> None:
    job = new_job(**changes)
    bench.store.submit(job, unique())
    assert bench.store.accepted(job) == bench.job(job.number)


def test_it_stays_as_it_was_whatever_a_worker_has_made_of_it_since(bench: Bench) -> None:
    job = new_job(webhook=WEBHOOK)
    bench.store.submit(job, unique())
    before = bench.job(job.number)
    bench.beat("w1")
    bench.dispatch()
    (claim,) = bench.claim()
    bench.runs().finish(claim, COMPLETED, ANSWERED)
    assert bench.job(job.number).status == "completed"
    assert bench.store.accepted(job) == before
    assert replace(as_accepted(bench.job(job.number)), attempts=[]) == before


def test_a_job_that_was_deleted_since_is_not_found(bench: Bench) -> None:
    job = new_job()
    bench.store.submit(job, unique())
    bench.store.discard(job.number, project=None)
    with pytest.raises(JobNotFound):
        bench.store.accepted(job)
