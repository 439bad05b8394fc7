"""A job that kills whatever worker runs it. `make chaos` runs it; test_workers.py has what is decided about one."""

import os
import random
from pathlib import Path

import pytest

from tests.chaos.leaks import nothing_is_left
from tests.chaos.opening import running_stage
from tests.chaos.stage import Stage
from tests.fakes.service import jobs_of, submit, wait_for_ends
from tests.fakes.waiting import wait_until

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.environ.get("RESPOOL_CHAOS") != "long", reason="make chaos runs it"),
]


def kill_who_runs(stage: Stage, number: str) -> None:
    """kill -9 of the worker that has sent the job, once there is one."""
    wait_until(lambda: _runner(stage, number) is not None, seconds=60)
    place = _runner(stage, number)
    assert place is not None
    stage.workers[place].kill()
    stage.workers[place] = stage.start_worker()


def _runner(stage: Stage, number: str) -> int | None:
    """Which of the workers runs the job now and has sent it."""
    pids = [worker.process.pid for worker in stage.workers]
    for entry in jobs_of(stage.client, [number])[0].attempts[-1:]:
        pid = int(entry["worker"].rsplit("-", 2)[1])
        if (entry["outcome"], entry["delivery"]) == ("running", "sent") and pid in pids:
            return pids.index(pid)
    return None


def test_a_job_that_kills_its_workers_is_set_aside_after_three_and_those_beside_it_complete(tmp_path: Path) -> None:
    with running_stage(tmp_path, random.Random(3)) as stage:
        (poison,) = submit(stage.client, 1, fault="delay=30", max_attempts=20)
        beside = submit(stage.client, 50, fault="delay=1", max_attempts=20)
        for _ in range(3):
            kill_who_runs(stage, poison)
        (job,) = wait_for_ends(stage.client, [poison])
        assert (job.status, job.error and job.error["code"], len(job.attempts)) == ("failed", "worker_lost", 3)
        assert {each.status for each in wait_for_ends(stage.client, beside)} == {"completed"}
        wait_until(lambda: nothing_is_left(stage.client))
