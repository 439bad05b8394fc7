"""A worker is killed while a batch runs. `make chaos` runs the long form."""

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import redis
import requests

from jobs.batches.record import Batch
from tests.fakes.batches import BatchBench, request_line
from tests.fakes.sandbox_server import running_sandbox
from tests.fakes.service import running_workers
from tests.fakes.waiting import wait_until

pytestmark = pytest.mark.chaos

LONG = os.environ.get("RESPOOL_CHAOS") == "long"
LINES = 10_000 if LONG else 300
KILLS = 5 if LONG else 1
END_SECONDS = 1200 if LONG else 90
FAILING = 100
"""Every hundredth line fails."""


def lines() -> list[dict[str, Any]]:
    faults = {n: "status=400" if n % FAILING == 0 else "delay=0.2" for n in range(1, LINES + 1)}
    return [request_line(n, metadata={"sandbox": fault}, respool={"max_attempts": 20}) for n, fault in faults.items()]


def test_each_line_of_a_batch_is_answered_once_although_workers_are_killed(
    store_client: redis.Redis, redis_url: str, tmp_path: Path
) -> None:
    batches = BatchBench(client=store_client, folder=tmp_path / "files")
    settings = {"slots": "60", "files_folder": str(batches.folder)}
    batch = batches.create(lines())
    with running_sandbox() as sandbox:
        for kill in range(KILLS):
            with running_workers(2, tmp_path, redis_url, sandbox, **settings) as (doomed, _):
                goal = LINES * (kill + 1) // (KILLS + 2)
                wait_until(lambda goal=goal: _ended(batches.now(batch)) >= goal, seconds=END_SECONDS)
                doomed.kill()
        with running_workers(2, tmp_path, redis_url, sandbox, **settings):
            wait_until(lambda: batches.now(batch).ended, seconds=END_SECONDS)
        calls = Counter(requests.get(f"{sandbox}/sandbox/keys?at_least=1", timeout=10).json())
    _check_files(batches, batches.now(batch))
    _check_calls(batches, batch, calls)


def _ended(batch: Batch) -> int:
    return batch.completed + batch.failed


def _check_files(batches: BatchBench, batch: Batch) -> None:
    failed = LINES // FAILING
    assert (batch.status, batch.total, batch.completed, batch.failed) == ("completed", LINES, LINES - failed, failed)
    good, bad = batches.content(batch.output_file_id), batches.content(batch.error_file_id)
    assert [line["custom_id"] for line in bad] == [f"line {n}" for n in range(FAILING, LINES + 1, FAILING)]
    assert {line["response"]["status_code"] for line in bad} == {400}
    assert {line["response"]["body"]["status"] for line in good} == {"completed"}
    assert {line["custom_id"] for line in good + bad} == {f"line {n}" for n in range(1, LINES + 1)}
    assert len(good) + len(bad) == LINES


def _check_calls(batches: BatchBench, batch: Batch, calls: Counter[str]) -> None:
    for job in batches.jobs(batch, LINES):
        assert job is not None
        sent = [entry for entry in job.attempts if entry["delivery"] != "not_sent"]
        lost = [entry for entry in sent if entry["outcome"] == "lost"]
        assert len(sent) - len(lost) <= calls[job.id] <= len(sent), "a call that no attempt tells of"
        assert len(sent) - len(lost) == 1
    assert sum(calls.values()) >= LINES
