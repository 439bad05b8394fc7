"""Jobs put straight into the store, and workers that run them against a sandbox."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import redis
import requests

from jobs.record import Job
from jobs.store import JobStore
from tests.factories import MODEL, new_job, unique
from tests.fakes.processes import Running, start_worker
from tests.fakes.waiting import wait_until


def submit(client: redis.Redis, count: int, *, fault: str = "", **changes: Any) -> list[str]:
    """The numbers of `count` new jobs; `fault` is how the sandbox shall misbehave."""
    store = JobStore(client, max_queued_bytes=2**40)
    body = {"model": MODEL, "input": "hello", "stream": False, "metadata": {"sandbox": fault} if fault else {}}
    body_bytes = json.dumps(body).encode()
    return [store.submit(new_job(body=body_bytes, **changes), unique()).number for _ in range(count)]


def jobs_of(client: redis.Redis, numbers: Sequence[str]) -> list[Job]:
    """The jobs, all of which must still be there."""
    found = JobStore(client, max_queued_bytes=2**40).get_all(numbers)
    assert None not in found
    return [job for job in found if job is not None]


def wait_for_ends(client: redis.Redis, numbers: Sequence[str], *, seconds: float = 60) -> list[Job]:
    wait_until(lambda: all(job.finished_at for job in jobs_of(client, numbers)), seconds=seconds)
    return jobs_of(client, numbers)


@contextmanager
def running_workers(count: int, folder: Path, redis_url: str, sandbox: str, **settings: str) -> Iterator[list[Running]]:
    """`count` worker processes; `settings` are names in lower case without their prefix."""
    environ: Mapping[str, str] = {
        "RESPOOL_REDIS_URL": redis_url,
        "RESPOOL_UPSTREAM_URL": f"{sandbox}/v1",
        "RESPOOL_UPSTREAM_API_KEY": "any",
        **{f"RESPOOL_{name.upper()}": value for name, value in settings.items()},
    }
    with ExitStack() as stack:
        workers = []
        for number in range(count):
            workers.append(start_worker(folder, environ, name=f"worker{number}"))
            stack.callback(workers[-1].kill)
        yield workers


def seen(sandbox: str) -> dict[str, Any]:
    """What the sandbox recorded of its calls."""
    answer: dict[str, Any] = requests.get(f"{sandbox}/sandbox/requests", timeout=10).json()
    return answer
