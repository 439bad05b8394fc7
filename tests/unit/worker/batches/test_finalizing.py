"""The files of a batch, also where a runner dies over them."""

import json

import pytest

from jobs import keys
from jobs.batches.record import Batch
from tests.fakes.batches import BatchBench, as_file, finish, request_line
from tests.fakes.bench import Bench
from worker.batches import finalizing as module
from worker.batches.finalizing import file_number


def on_disk(batches: BatchBench) -> list[str]:
    return sorted(path.name for path in batches.folder.rglob("*") if path.is_file())


def ended_lines(batches: BatchBench, bench: Bench, count: int) -> Batch:
    """A batch all of whose lines have ended, the last with a failure."""
    batch = batches.begun(count)
    numbers = batches.numbers(batch, count)
    finish(bench, numbers, failing={numbers[-1]})
    batches.wake(batch)
    return batch


def test_a_runner_that_dies_while_it_writes_leaves_nothing_behind_that_counts(
    batches: BatchBench, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    batch = ended_lines(batches, bench, 7)
    dead = batches.runner("r1")
    while batches.now(batch).status != "finalizing" or len(on_disk(batches)) < 3:
        dead.step()
    batches.wake(batch)  # its lease has run out
    batches.work(batches.runner("r2"))
    before = batches.now(batch)
    dead.step()
    after = batches.now(batch)
    assert before == after
    assert (after.status, after.completed, after.failed) == ("completed", 6, 1)
    told = [line["custom_id"] for id in (after.output_file_id, after.error_file_id) for line in batches.content(id)]
    assert told == [f"line {n}" for n in range(1, 8)]
    assert len(on_disk(batches)) == 3


def test_files_of_a_runner_that_died_before_it_told_of_them_are_written_anew(batches: BatchBench, bench: Bench) -> None:
    batch = ended_lines(batches, bench, 2)
    batches.work()
    first = batches.now(batch)
    batches.client.hset(keys.batch(batch.number), mapping={"status": "finalizing", "completed_lines": 0})
    batches.client.hdel(keys.batch(batch.number), "output_file", "error_file", "goes")
    batches.client.hincrby(keys.file(batch.input_file_id.removeprefix("file-")), "batches", 1)
    batches.store.delete(batches.numbers(batch, 1)[0], project=None)
    second = batches.go_on(batch)
    assert (first.completed, first.failed, second.completed, second.failed) == (1, 1, 0, 2)
    assert (second.output_file_id, second.error_file_id) == (None, first.error_file_id)
    file = batches.files.get(second.error_file_id or "", project="default")
    assert file.number == file_number(batch, "error")
    with batches.files.open(file) as content:
        assert len(content.read()) == file.bytes
    assert len(on_disk(batches)) == 2


def test_results_are_written_although_the_project_has_no_room_for_files(batches: BatchBench, bench: Bench) -> None:
    batch = ended_lines(batches, bench, 2)
    batches.client.hset(keys.project("default"), mapping={"file_bytes": 2**52, "files": 200_000})
    ended = batches.go_on(batch)
    assert (ended.status, len(batches.content(ended.output_file_id))) == ("completed", 1)
    assert int(batches.client.hget(keys.project("default"), "files") or 0) == 200_002


def test_a_disk_that_is_slow_to_take_the_files_does_not_lose_the_batch_to_another_worker(
    batches: BatchBench, bench: Bench
) -> None:
    """It is seen by one that takes none: the shelf of the output is away."""
    file = batches.put(as_file([request_line(1)]))
    tries = (batches.create(b"", input_file_id=file.id) for _ in range(40))
    batch = next(made for made in tries if file_number(made, "output")[0] != file.number[0])
    batches.work()
    finish(bench, batches.numbers(batch, 1))
    shelf, runner = batches.folder / file_number(batch, "output")[0], batches.runner()
    shelf.rename(batches.folder / "away")
    batches.wake(batch)
    batches.work(runner)
    assert batches.now(batch).status == "finalizing"
    lease = batches.client.zscore(keys.BATCHES_OPEN, batch.number) / 1000 - batches.client.time()[0]
    assert lease > 100
    (batches.folder / "away").rename(shelf)
    assert batches.go_on(batch).status == "completed"


def test_no_line_of_a_file_holds_what_some_take_for_its_end(batches: BatchBench) -> None:
    batch = batches.create([request_line(1, custom_id="a\u2028b\u2029c\u0085d é", top_p=9)])
    batches.work()
    ended = batches.go_on(batch)
    with batches.files.open(batches.files.get(ended.error_file_id or "", project=None)) as file:
        (line,) = file.read().decode().splitlines()
    assert json.loads(line)["custom_id"] == "a\u2028b\u2029c\u0085d é"
