"""Batches as callers make them."""

import json
from pathlib import Path
from typing import Any

import redis
from werkzeug.test import TestResponse

from jobs.limits import Limits
from jobs.settings import Settings
from tests.factories import MODEL
from tests.fakes.files import store_at
from tests.fakes.waiting import wait_until
from tests.unit.api.conftest import Caller
from tests.unit.api.files import uploaded
from worker.batches.runner import BatchRunner
from worker.batches.work import open_runner


def line(custom_id: str, **body: Any) -> bytes:
    """A line of a batch's file."""
    request = {"model": MODEL, "input": "hello", **body}
    told = {"custom_id": custom_id, "method": "POST", "url": "/v1/responses", "body": request}
    return json.dumps(told).encode() + b"\n"


def lines_file(caller: Caller, *lines: bytes) -> str:
    """The id of a new file of a batch; without lines, of one."""
    file = uploaded(caller, b"".join(lines or (line("a"),)), purpose="batch", filename="lines.jsonl")
    return str(file["id"])


def begin(caller: Caller, file_id: str = "", *, headers: dict[str, str] | None = None, **fields: Any) -> TestResponse:
    body = {"endpoint": "/v1/responses", "completion_window": "24h", **fields}
    return caller.post("/v1/batches", json={"input_file_id": file_id or lines_file(caller), **body}, headers=headers)


def begun(caller: Caller, *lines: bytes, **fields: Any) -> dict[str, Any]:
    """A new batch as the answer shows it."""
    answer = begin(caller, lines_file(caller, *lines), **fields)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def runner_at(folder: Path, client: redis.Redis) -> BatchRunner:
    """What a worker moves batches on with, whose files lie in that folder."""
    settings = Settings(redis_url="unused", files_folder=folder)
    return open_runner(settings, Limits(), client, store_at(folder, client), worker="w1")


def moved_to(caller: Caller, batch_id: str, runner: BatchRunner, status: str, *, lines: int = 0) -> dict[str, Any]:
    """The batch once it has that status, and so many lines of it were taken up."""
    found: dict[str, Any] = {}

    def has_come() -> bool:
        runner.step()
        found.update(caller.get(f"/v1/batches/{batch_id}").json)
        return found["status"] == status and found["respool"]["lines_submitted"] >= lines

    wait_until(has_come)
    return found
