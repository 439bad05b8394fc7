"""The master dies while jobs are submitted, and a sentinel puts its replica in its place."""

import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import redis

from jobs.connection import connect
from jobs.errors import DurabilityUnconfirmed, StoreUnavailable
from jobs.settings import Durability
from jobs.store import JobStore
from schemas.job import TERMINAL
from tests.chaos.leaks import nothing_is_left
from tests.factories import new_job, unique
from tests.fakes.fault_proxy import Trouble, running_proxy
from tests.fakes.sandbox_server import running_sandbox
from tests.fakes.sentinels import Pair, running_pair
from tests.fakes.service import running_workers
from tests.fakes.waiting import wait_until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

LONG = os.environ.get("RESPOOL_CHAOS") == "long"
LAG_SECONDS = 0.3
"""For so long before the master's death nothing reaches the replica, as it may be on a busy network."""

BEFORE, AFTER = (500, 500) if LONG else (60, 30)
"""Jobs that are acknowledged before the replica falls behind, and when the failover is over."""


class Submitter:
    """Submits on a thread, one job after the other; what was acknowledged, and how often it was not."""

    def __init__(self, url: str, durability: Durability) -> None:
        self.acknowledged: list[str] = []
        self.refused = 0
        self._store = JobStore(connect(url), durability=durability, max_queued_bytes=2**40)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._submit, daemon=True)

    def __enter__(self) -> "Submitter":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _submit(self) -> None:
        while not self._over.is_set():
            try:
                self.acknowledged.append(self._store.submit(new_job(max_attempts=20), unique()).number)
            except (DurabilityUnconfirmed, StoreUnavailable):
                self.refused += 1
            self._over.wait(0.002)

    def wait_for_more(self, count: int) -> None:
        goal = len(self.acknowledged) + count
        wait_until(lambda: len(self.acknowledged) >= goal, seconds=60)


def fail_over(pair: Pair, submitter: Submitter) -> float:
    """The seconds from the master's death until the sentinel names the other one."""
    with running_proxy(pair.first.port) as proxy, redis.Redis(port=pair.second.port) as replica:
        replica.replicaof("127.0.0.1", proxy.port)
        wait_until(lambda: replica.info("replication")["master_link_status"] == "up")
        submitter.wait_for_more(10)
        proxy.trouble(down=Trouble(black_hole=True))
        time.sleep(LAG_SECONDS)  # how far it is behind is what is measured
        pair.first.kill()
        died = time.monotonic()
        proxy.reset()
        wait_until(lambda: pair.master_port() == pair.second.port, seconds=60)
        return time.monotonic() - died


@pytest.mark.parametrize("durability", ["replica", "everysec"])
def test_with_a_confirmed_replica_a_failover_loses_nothing_and_work_goes_on(
    durability: Durability, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Without one, what the replica had not heard of is lost: it is measured, and nothing else is stuck."""
    with running_pair(tmp_path) as pair, running_sandbox() as sandbox:
        client = connect(f"redis://127.0.0.1:{pair.second.port}/0")
        with running_workers(1, tmp_path, pair.url, sandbox, slots="50"):
            with Submitter(pair.url, durability) as submitter:
                submitter.wait_for_more(BEFORE)
                seconds = fail_over(pair, submitter)
                before = len(submitter.acknowledged)
                if durability == "replica":
                    pair.first.options = (*pair.first.options, "--replicaof", f"127.0.0.1 {pair.second.port}")
                    pair.first.start()
                submitter.wait_for_more(AFTER)
            lost = [job is None for job in JobStore(client, max_queued_bytes=1).get_all(submitter.acknowledged)]
            wait_until(lambda: _all_ended(client, submitter.acknowledged), seconds=120)
            wait_until(lambda: nothing_is_left(client), seconds=60)
        client.close()
    record_property("table", f"failover, {durability:<15} {len(submitter.acknowledged)} acknowledged, {before} of them "
                    f"before it was over, {sum(lost)} lost, {submitter.refused} refused, {seconds:.1f} s")  # fmt: skip
    assert not any(lost[before:])
    assert durability == "everysec" or not any(lost)


def _all_ended(client: redis.Redis, numbers: Sequence[str]) -> bool:
    jobs = JobStore(client, max_queued_bytes=1).get_all(numbers)
    return all(job is None or job.status in TERMINAL for job in jobs)
