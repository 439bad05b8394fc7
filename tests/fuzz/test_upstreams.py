"""An endpoint that answers anything: every job ends as its policy says, and the worker lives on in bounded memory."""

import itertools
import json
import os
import random
import re
import socket
from collections import Counter
from pathlib import Path

import psutil
import pytest
import redis

from jobs.lanes import backlog_of
from jobs.store import JobStore
from tests.factories import new_job, unique
from tests.fakes.processes import running_worker
from tests.fakes.raw_server import raw_server
from tests.fakes.service import wait_for_ends
from tests.fuzz.bad_answers import bad, good

LONG = os.environ.get("RESPOOL_FUZZ") == "long"
SEED = int(os.environ.get("RESPOOL_FUZZ_SEED", "1"))
JOBS, DEADLINE_SECONDS, END_SECONDS = (3000, 60.0, 1500) if LONG else (40, 8.0, 90)
MOST_MIB = 300
ATTEMPTS = 2
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/ -]*\Z")

pytestmark = pytest.mark.timeout(3600)


def submit(client: redis.Redis, count: int) -> list[str]:
    """Each for a model, and so a lane, of its own: what befalls one must not hold up the others."""
    store, numbers = JobStore(client, max_queued_bytes=2**40), []
    for place in range(count):
        model = f"m{place}"
        echo = json.dumps({"model": model, "stream": place % 2 == 0})
        body = json.dumps({"model": model, "input": "x", "stream": place % 2 == 0}).encode()
        job = new_job(model=model, backlog=backlog_of(model), body=body, echo=echo, max_attempts=ATTEMPTS,
                      queue_deadline_seconds=DEADLINE_SECONDS, run_timeout_seconds=8.0)  # fmt: skip
        numbers.append(store.submit(job, unique()).number)
    return numbers


def test_whatever_an_endpoint_answers_every_job_ends_by_its_policy(
    store_client: redis.Redis, redis_url: str, tmp_path: Path
) -> None:
    turn = itertools.count()

    def answer(connection: socket.socket) -> None:
        dice = random.Random(f"{SEED}:{next(turn)}")
        (
            bad(dice, pauses="long" if LONG else "short")
            if dice.random() < 0.9
            else lambda caller: caller.sendall(good())
        )(connection)

    with raw_server(answer) as server:
        settings = {
            "RESPOOL_REDIS_URL": redis_url,
            "RESPOOL_UPSTREAM_URL": f"{server.url}/v1",
            "RESPOOL_UPSTREAM_MAX_BYTES": str(1024 * 1024),
            "RESPOOL_READ_TIMEOUT_SECONDS": "3",
            "RESPOOL_SLOTS": "20",
        }
        with running_worker(tmp_path, settings) as worker:
            jobs = wait_for_ends(store_client, submit(store_client, JOBS), seconds=END_SECONDS)
            mib = psutil.Process(worker.process.pid).memory_info().rss // 2**20
            assert worker.process.poll() is None
            log = worker.log.read_text()
    codes = Counter((job.error or {}).get("code", job.status) for job in jobs)
    print(f"\nseed {SEED}: {JOBS} jobs, {len(server.requests)} answers, worker {mib} MiB\n{dict(codes.most_common())}")
    assert "Traceback" not in log, log[-4000:]
    assert mib < MOST_MIB
    for job in jobs:
        assert job.status in ("completed", "incomplete") or CODE.match(job.error["code"]), job
        assert job.attempts_spent <= ATTEMPTS
