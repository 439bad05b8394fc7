"""Who may move a batch on."""

import pytest
import redis

from jobs import keys
from jobs.batches.record import Batch
from jobs.batches.runs import BatchEnd, BatchRuns, Progress
from jobs.errors import BatchLost
from jobs.new_job import BatchLine
from jobs.store import JobStore
from tests.factories import new_job
from tests.fakes.batches import BatchBench, request_line

FAILED = BatchEnd(status="failed")


def runs(batches: BatchBench, runner: str) -> BatchRuns:
    return BatchRuns(batches.client, JobStore(batches.client, max_queued_bytes=10**9), runner=runner, event_seconds=60)


def taken(runner: BatchRuns) -> Batch:
    batch = runner.take()
    assert batch is not None
    return batch


def snapshot(client: redis.Redis) -> dict[bytes, bytes]:
    return {key: client.dump(key) for key in client.scan_iter()}


def test_one_runner_at_a_time_has_a_batch_and_the_one_that_waited_longest_goes_first(batches: BatchBench) -> None:
    first, second = (batches.create([request_line(1)]) for _ in range(2))
    assert [taken(runs(batches, name)).id for name in ("r1", "r2")] == [first.id, second.id]
    assert runs(batches, "r3").take() is None


def test_a_batch_that_is_not_renewed_goes_to_another_and_the_first_is_told_so(batches: BatchBench) -> None:
    batches.create([request_line(1)])
    dead, heir = runs(batches, "r1"), runs(batches, "r2")
    batch = taken(dead)
    dead.hold(batch)
    assert heir.take() is None
    batches.wake(batch)  # the lease has run out
    assert taken(heir).id == batch.id
    before = snapshot(batches.client)
    steps = (
        lambda: dead.hold(batch),
        lambda: dead.rest(batch, seconds=1),
        lambda: dead.begin(batch, total=1, model="m"),
        lambda: dead.end(batch, FAILED),
        lambda: dead.close(batch),
    )
    for step in steps:
        with pytest.raises(BatchLost):
            step()
    assert snapshot(batches.client) == before
    heir.begin(batch, total=1, model="m")
    assert batches.now(batch).status == "in_progress"


def in_progress(batches: BatchBench, runner: BatchRuns) -> Batch:
    batches.create([request_line(1)])
    runner.begin(taken(runner), total=1, model="m")
    return taken(runner)


def test_a_line_that_comes_from_a_runner_which_lost_its_batch_makes_no_job(batches: BatchBench) -> None:
    runner = runs(batches, "r1")
    batch = in_progress(batches, runner)
    job = new_job(line=BatchLine(batch=batch.number, line=1, custom_id="a"))
    batches.batches.cancel(batch.id, project=None)
    with pytest.raises(BatchLost):
        runner.submit([job])
    with pytest.raises(BatchLost):
        runner.advance(batch, Progress(line=1, offset=1, requests=1), {})
    assert not batches.client.exists(keys.job(job.number))


def test_a_line_that_is_submitted_twice_is_one_job_and_is_counted_once(batches: BatchBench) -> None:
    runner = runs(batches, "r1")
    batch = in_progress(batches, runner)
    job = new_job(line=BatchLine(batch=batch.number, line=1, custom_id="a"))
    assert [runner.submit([job]), runner.submit([job])] == [[None], [None]]
    assert runner.running(batch) == {job.number: "queued"}
    for _ in range(2):
        batches.store.cancel(job.number, project=None)
    assert runner.running(batch) == {}
    assert batches.now(batch).failed == 1


def test_what_was_advanced_twice_is_counted_once(batches: BatchBench) -> None:
    runner = runs(batches, "r1")
    batch = in_progress(batches, runner)
    refusal = {"custom_id": "a", "status_code": 400, "body": {}}
    for _ in range(2):
        runner.advance(batch, Progress(line=2, offset=9, requests=2), {2: refusal})
    now = batches.now(batch)
    assert (now.line, now.offset, now.lines_read, now.failed) == (2, 9, 2, 1)


def test_a_batch_does_not_go_on_to_its_files_while_a_line_runs(batches: BatchBench) -> None:
    runner = runs(batches, "r1")
    batch = in_progress(batches, runner)
    runner.submit([new_job(line=BatchLine(batch=batch.number, line=1, custom_id="a"))])
    with pytest.raises(BatchLost):
        runner.finalize(batch)
    assert batches.now(batch).status == "in_progress"


def test_a_line_whose_record_is_lost_runs_no_more(batches: BatchBench) -> None:
    runner = runs(batches, "r1")
    batch = in_progress(batches, runner)
    batches.client.sadd(keys.batch_running(batch.number), "0" * 32)
    assert runner.running(batch) == {}
    assert not batches.client.exists(keys.batch_running(batch.number))


def test_a_batch_ends_once_and_tells_its_end_once(batches: BatchBench) -> None:
    batches.create([request_line(1)])
    runner = runs(batches, "r1")
    batch = taken(runner)
    runner.end(batch, FAILED)
    before = snapshot(batches.client)
    with pytest.raises(BatchLost):
        runner.end(batch, FAILED)
    assert snapshot(batches.client) == before
    assert batches.client.xlen(keys.events("default")) == 1
    assert batches.files.get(batch.input_file_id, project=None).batches == 0
