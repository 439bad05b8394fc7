"""Batches as real workers run them, against a sandbox."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import redis

from jobs import keys
from jobs.batches.record import Batch
from tests.factories import MODEL
from tests.fakes.batches import BatchBench, request_line
from tests.fakes.sandbox_server import running_sandbox
from tests.fakes.service import running_workers, submit, wait_for_ends
from tests.fakes.waiting import wait_until


def ended(batches: BatchBench, batch: Batch, *, seconds: float = 60) -> Batch:
    wait_until(lambda: batches.now(batch).ended, seconds=seconds)
    return batches.now(batch)


def faulty(number: int, fault: str, **body: Any) -> dict[str, Any]:
    return request_line(number, metadata={"sandbox": fault}, **body)


def test_a_batch_runs_from_its_file_to_its_files(store_client: redis.Redis, redis_url: str, tmp_path: Path) -> None:
    batches = BatchBench(client=store_client, folder=tmp_path / "files")
    lines = [request_line(n) for n in range(1, 40)] + [faulty(40, "status=400"), request_line(41, temperature=9)]
    with (
        running_sandbox() as sandbox,
        running_workers(2, tmp_path, redis_url, sandbox, files_folder=str(batches.folder)),
    ):
        batch = ended(batches, batches.create(lines))
    assert (batch.status, batch.completed, batch.failed) == ("completed", 39, 2)
    good, bad = batches.content(batch.output_file_id), batches.content(batch.error_file_id)
    assert [line["custom_id"] for line in good] == [f"line {n}" for n in range(1, 40)]
    assert {line["response"]["body"]["model"] for line in good} == {MODEL}
    assert [line["custom_id"] for line in bad] == ["line 40", "line 41"]
    tokens = sum(line["response"]["body"]["usage"]["total_tokens"] for line in good)
    assert (batch.usage or {})["total_tokens"] == tokens
    types = [json.loads(fields[b"event"])["type"] for _, fields in store_client.xrange(keys.events("default"))]
    assert Counter(types) == {"batch.completed": 1}


def test_what_is_asked_for_by_itself_overtakes_a_batch(
    store_client: redis.Redis, redis_url: str, tmp_path: Path
) -> None:
    batches = BatchBench(client=store_client, folder=tmp_path / "files")
    settings = {"files_folder": str(batches.folder), "slots": "2"}
    with running_sandbox() as sandbox, running_workers(1, tmp_path, redis_url, sandbox, **settings):
        batch = batches.create([faulty(n, "delay=0.2") for n in range(1, 31)])
        wait_until(lambda: batches.now(batch).lines_read == 30)
        own = wait_for_ends(store_client, submit(store_client, 2))
        assert {job.status for job in own} == {"completed"}
        done = batches.now(batch)
        assert done.completed < 15
        assert ended(batches, batch).completed == 30


def test_a_cancelled_batch_ends_with_what_was_answered(
    store_client: redis.Redis, redis_url: str, tmp_path: Path
) -> None:
    batches = BatchBench(client=store_client, folder=tmp_path / "files")
    settings = {"files_folder": str(batches.folder), "slots": "3"}
    with running_sandbox() as sandbox, running_workers(1, tmp_path, redis_url, sandbox, **settings):
        batch = batches.create([faulty(n, "delay=0.3") for n in range(1, 41)])
        wait_until(lambda: batches.now(batch).completed >= 3)
        batches.batches.cancel(batch.id, project="default")
        after = ended(batches, batch)
    assert (after.status, after.completed + after.failed) == ("cancelled", 40)
    assert 3 <= after.completed < 12
    assert len(batches.content(after.output_file_id)) == after.completed
    assert {line["error"]["code"] for line in batches.content(after.error_file_id)} == {"batch_cancelled"}


def test_a_window_that_ends_leaves_the_rest_undone(store_client: redis.Redis, redis_url: str, tmp_path: Path) -> None:
    batches = BatchBench(client=store_client, folder=tmp_path / "files")
    settings = {"files_folder": str(batches.folder), "slots": "2"}
    with running_sandbox() as sandbox, running_workers(1, tmp_path, redis_url, sandbox, **settings):
        batch = batches.create([faulty(n, "delay=0.5") for n in range(1, 41)], window_seconds=2)
        after = ended(batches, batch)
    assert (after.status, after.completed + after.failed) == ("expired", 40)
    assert 0 < after.completed < 20
    assert {line["error"]["code"] for line in batches.content(after.error_file_id)} == {"batch_expired"}
    assert all(line["response"]["body"]["status"] == "completed" for line in batches.content(after.output_file_id))


def test_a_worker_that_is_stopped_hands_its_batch_on(store_client: redis.Redis, redis_url: str, tmp_path: Path) -> None:
    batches = BatchBench(client=store_client, folder=tmp_path / "files")
    settings = {"files_folder": str(batches.folder), "slots": "5"}
    with running_sandbox() as sandbox:
        with running_workers(1, tmp_path, redis_url, sandbox, **settings) as (first,):
            batch = batches.create([faulty(n, "delay=0.2") for n in range(1, 61)])
            wait_until(lambda: batches.now(batch).completed >= 5)
            first.stop()
        with running_workers(1, tmp_path, redis_url, sandbox, **settings):
            after = ended(batches, batch)
    assert (after.status, after.completed, after.failed) == ("completed", 60, 0)
