"""A worker outlives a Redis that refuses to hand out messages."""

import resource
from pathlib import Path

import pytest

from jobs.connection import connect
from tests.fakes.redis_server import KEEPING, running_redis
from tests.fakes.sandbox_server import running_sandbox
from tests.fakes.service import running_workers, submit, wait_for_ends
from tests.fakes.waiting import wait_until

pytestmark = pytest.mark.chaos

FREE = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


def test_a_full_disk_under_redis_ends_no_worker_and_jobs_run_once_there_is_room(tmp_path: Path) -> None:
    with running_redis(tmp_path, *KEEPING) as server, running_sandbox() as sandbox:
        client = connect(server.url)
        with running_workers(1, tmp_path, server.url, sandbox) as (worker,):
            assert server.process is not None
            resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
            wait_until(lambda: worker.process.poll() is not None or "MISCONF" in _broker_trouble(worker.log))
            assert worker.process.poll() is None
            resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, FREE)
            wait_until(lambda: client.info("persistence")["aof_last_write_status"] == "ok")
            (job,) = wait_for_ends(client, submit(client, 1))
            assert (job.status, worker.process.poll()) == ("completed", None)
        client.close()


def _broker_trouble(log: Path) -> str:
    return "".join(line for line in log.read_text().splitlines() if "consumer" in line)
