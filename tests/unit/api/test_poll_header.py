from dataclasses import replace

import pytest

from api.poll_header import poll_headers
from jobs.eta import Eta
from jobs.record import FIELDS, Job, read_job
from jobs.waiting import Waiting

VALUES: dict[str, bytes] = {"project": b"p", "status": b"queued", "stage": b"waiting"}
JOB: Job = read_job("0" * 32, [VALUES.get(name) for name in FIELDS], [])


def eta(seconds: float) -> Waiting:
    return Waiting(eta=Eta(p50_seconds=seconds, p90_seconds=seconds * 2))


@pytest.mark.parametrize(
    ("waiting", "milliseconds"),
    [(Waiting(), "5000"), (eta(0), "500"), (eta(0.7), "700"), (eta(10), "10000"), (eta(3600), "10000")],
)
def test_one_that_waits_is_asked_for_when_it_is_likely_to_start(waiting: Waiting, milliseconds: str) -> None:
    assert poll_headers(JOB, waiting, now=0) == {"openai-poll-after-ms": milliseconds}


@pytest.mark.parametrize(("seconds", "milliseconds"), [(0, "500"), (8, "2000"), (3600, "10000")])
def test_one_that_runs_is_asked_for_less_often_the_longer_it_has_run(seconds: float, milliseconds: str) -> None:
    running = replace(JOB, status="in_progress", started_at=100.0)
    assert poll_headers(running, Waiting(), now=100 + seconds) == {"openai-poll-after-ms": milliseconds}


def test_one_that_has_ended_is_asked_for_no_more() -> None:
    assert poll_headers(replace(JOB, finished_at=1.0), Waiting(), now=2) == {}
