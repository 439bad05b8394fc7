"""Several upstream accounts: what one cannot do now, the next does; the process is a real one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
import requests

from jobs.lanes import account_of
from tests.fakes.processes import start_worker
from tests.fakes.sandbox_server import running_sandbox
from tests.fakes.service import seen, submit, wait_for_ends

FILE = """
[accounts.first]
url = "{base}/v1"
api_key_variable = "FIRST_KEY"

[accounts.second]
url = "{base}/v1"
api_key_variable = "SECOND_KEY"
"""


@pytest.fixture
def sandbox() -> Iterator[str]:
    with running_sandbox() as base:
        yield base


@contextmanager
def worker_of_two_accounts(folder: Path, redis_url: str, sandbox: str) -> Iterator[None]:
    path = folder / "limits.toml"
    path.write_text(FILE.format(base=sandbox))
    environ = {"RESPOOL_REDIS_URL": redis_url, "RESPOOL_LIMITS_FILE": str(path)}
    running = start_worker(folder, environ | {"FIRST_KEY": "key-1111", "SECOND_KEY": "key-2222"})
    try:
        yield
    finally:
        running.kill()


@pytest.mark.parametrize(
    "fault", ["status=401;code=AuthenticationError", "status=429;code=AccountRateLimitExceeded;retry_after=600"]
)
def test_jobs_complete_on_the_second_account_while_the_first_is_held(
    fault: str, sandbox: str, redis_url: str, store_client: redis.Redis, tmp_path: Path
) -> None:
    outage = {"fault": fault, "api_key": "key-1111"}
    requests.put(f"{sandbox}/sandbox/outage", json=outage, timeout=10).raise_for_status()
    with worker_of_two_accounts(tmp_path, redis_url, sandbox):
        early = wait_for_ends(store_client, submit(store_client, 5, max_attempts=1))
        late = wait_for_ends(store_client, submit(store_client, 20, max_attempts=1))
    assert {(job.status, job.attempts_spent) for job in early + late} == {("completed", 1)}
    assert {account_of(job.lane or "") for job in early + late} == {"second"}
    assert {len(job.attempts) for job in late} == {1}
    calls = seen(sandbox)["data"]
    assert {call["status"] for call in calls if call["api_key_end"] == "2222"} == {200}
    assert 1 <= len([call for call in calls if call["api_key_end"] == "1111"]) <= 5
