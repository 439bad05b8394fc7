import logging

import pytest

from jobs import keys
from jobs.record import Stage
from tests.fakes.bench import FAILED, Bench
from worker.sweeper import SCAN_SWEEPS, Sweeper


def sweep(bench: Bench, sweeper: Sweeper) -> None:
    """A sweep that is not held up by the one before, as if that had been just now."""
    bench.client.delete(keys.SWEEP)
    bench.client.hset(keys.COUNTERS, "swept", bench.client.time()[0] * 1000)
    assert sweeper.step() > 0


def test_a_dead_workers_jobs_go_back_and_that_is_told(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    claim = bench.run_one("w1")
    bench.kill("w1")
    with caplog.at_level(logging.WARNING):
        sweep(bench, Sweeper(bench.workers))
    assert bench.job(claim.number).status == "queued"
    assert "recovered 1 jobs of dead workers" in caplog.text


def test_a_job_whose_message_was_lost_waits_again(bench: Bench) -> None:
    number = bench.submit()
    bench.beat("w1")
    bench.dispatch("w1")
    bench.client.delete(keys.worker_queue("w1"))
    bench.make_due("dispatched")
    sweep(bench, Sweeper(bench.workers))
    assert bench.job(number).stage is Stage.WAITING


def test_a_delayed_job_waits_again_when_it_is_due(bench: Bench) -> None:
    claim = bench.run_one("w1")
    bench.runs("w1").retry(claim, FAILED, delay_seconds=1000)
    bench.make_due("delayed")
    sweep(bench, Sweeper(bench.workers))
    assert bench.job(claim.number).stage is Stage.WAITING


def test_every_fifth_sweep_looks_for_records_that_no_index_holds(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    number = bench.submit()
    bench.client.delete(*bench.client.scan_iter(keys.PREFIX + "backlog_jobs:*"))
    sweeper = Sweeper(bench.workers)
    with caplog.at_level(logging.WARNING):
        for _ in range(SCAN_SWEEPS * 2):  # one to begin the walk, one for its first page
            sweep(bench, sweeper)
    assert "put 1 records back" in caplog.text
    bench.beat("w1")
    bench.dispatch("w1")
    assert [release.numbers for release in bench.releases("w1")] == [[number]]


def test_who_sweeps_while_another_just_did_does_nothing(bench: Bench) -> None:
    sweeper = Sweeper(bench.workers)
    sweep(bench, sweeper)
    claim = bench.run_one("w1")
    bench.kill("w1")
    sweeper.step()
    assert bench.job(claim.number).status == "in_progress"
