from dataclasses import replace

import pytest

from jobs.accepted import as_accepted
from jobs.new_job import NewJob
from jobs.projects import Projects
from jobs.record import Job
from jobs.store import Submitted
from jobs.trail import Trail
from jobs.webhooks.target import Webhook
from tests.factories import new_job, unique
from tests.fakes.bench import ANSWERED, COMPLETED, Bench

WEBHOOK = Webhook(url="sealed", origin="https://a.example:443", events=("response.completed",), secret="sealed too")


def shown(bench: Bench, job: NewJob, submitted: Submitted) -> Job:
    assert submitted.accepted
    return bench.store.accepted(job, submitted.accepted)


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
    assert shown(bench, job, bench.store.submit(job, unique())) == bench.job(job.number)


def test_it_stays_as_it_was_whatever_a_worker_has_made_of_it_since(bench: Bench) -> None:
    job = new_job(webhook=WEBHOOK)
    same = unique()
    bench.store.submit(job, same)
    before = bench.job(job.number)
    bench.beat("w1")
    bench.dispatch()
    (claim,) = bench.claim()
    bench.runs().finish(claim, COMPLETED, ANSWERED)
    assert bench.job(job.number).status == "completed"
    assert shown(bench, job, bench.store.submit(job, same)) == before
    assert replace(as_accepted(bench.job(job.number)), attempts=[]) == before


def test_what_a_submit_says_of_a_jobs_waiting_is_what_a_look_finds(bench: Bench) -> None:
    Projects(bench.client).change("p", {"weight": 3, "max_in_flight": 2})
    bench.beat("w1", slots=1)
    bench.submit(project="p")
    bench.dispatch()
    for place in range(3):
        job = new_job(project="p")
        submitted = bench.store.submit(job, unique())
        assert submitted.accepted
        assert submitted.accepted.before == place
        said = bench.waiting_room.of_accepted(shown(bench, job, submitted), submitted.accepted, seen_seconds=0.0)
        looked = bench.waiting_room.of([bench.job(job.number)])[job.number]
        assert (said.position, said.ahead, said.reason) == (looked.position, looked.ahead, looked.reason)
        assert said.position == place + 1
