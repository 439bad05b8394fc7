"""Limits are the lane's, however many worker processes share it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.fakes.sandbox_server import running_sandbox
from tests.fakes.service import running_workers, seen, submit, wait_for_ends

HANDOVER_SECONDS = 0.2


def limits(folder: Path, text: str) -> str:
    path = folder / "limits.toml"
    path.write_text(f"[default]\n{text}\n")
    return str(path)


@pytest.mark.parametrize(("processes", "at_once"), [(2, 6), (4, 12)])
def test_every_worker_process_adds_its_slots_and_no_more(
    processes: int, at_once: int, store_client: redis.Redis, redis_url: str, tmp_path: Path
) -> None:
    with running_sandbox() as sandbox, running_workers(processes, tmp_path, redis_url, sandbox, slots="3"):
        jobs = wait_for_ends(store_client, submit(store_client, 3 * at_once, fault="delay=1"))
        assert seen(sandbox)["in_flight_max"] == at_once
        assert {job.status for job in jobs} == {"completed"}
        assert seen(sandbox)["total"] == len(jobs)


def most_at_once(calls: Sequence[dict[str, Any]]) -> int:
    """Of calls that take longer than HANDOVER_SECONDS: the sandbox hears a little late that one is over, and the next
    may have begun by then."""
    spans = [(call["started_at"], call["ended_at"] - HANDOVER_SECONDS) for call in calls]
    return max(sum(start <= moment < end for start, end in spans) for moment, _ in spans)


def test_calls_in_flight_never_exceed_the_lanes_limit(
    store_client: redis.Redis, redis_url: str, tmp_path: Path
) -> None:
    bound = limits(tmp_path, "in_flight = 5")
    with (
        running_sandbox() as sandbox,
        running_workers(3, tmp_path, redis_url, sandbox, slots="4", limits_file=bound),
    ):
        wait_for_ends(store_client, submit(store_client, 25, fault="delay=0.4"))
        assert most_at_once(seen(sandbox)["data"]) == 5


def test_starts_keep_to_the_requests_a_minute(store_client: redis.Redis, redis_url: str, tmp_path: Path) -> None:
    """600 a minute with a burst of 10 refills 590 a minute; a call may start a little later than it was released."""
    bound = limits(tmp_path, "requests_per_minute = 600\nburst = 10")
    late_seconds = 0.5
    with (
        running_sandbox() as sandbox,
        running_workers(2, tmp_path, redis_url, sandbox, slots="50", limits_file=bound),
    ):
        wait_for_ends(store_client, submit(store_client, 60))
        starts = sorted(call["started_at"] for call in seen(sandbox)["data"])
    assert len(starts) == 60
    for first in range(len(starts)):
        for last in range(first, len(starts)):
            window = starts[last] - starts[first] + late_seconds
            assert last - first + 1 <= 10 + window * 590 / 60
    assert starts[-1] - starts[0] > 4, "50 starts beyond the burst take five seconds"
