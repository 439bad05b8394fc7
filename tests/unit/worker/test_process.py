import logging

import pytest

from jobs.settings import Settings
from tests.fakes.redis_server import free_port
from worker.process import WRITE_SECONDS, Process


def test_a_process_writes_with_more_patience_than_it_asks() -> None:
    """A large answer over a slow link is no outage; a poll of the lease has to notice one."""
    process = Process(Settings(redis_url=f"redis://127.0.0.1:{free_port()}/0"))
    assert process._coalescer._client.connection_pool.connection_kwargs["socket_timeout"] == WRITE_SECONDS
    assert process._workers._client.connection_pool.connection_kwargs["socket_timeout"] < 2


def test_a_process_warns_at_its_start_of_a_redis_that_may_lose_jobs(
    redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    process = Process(Settings(redis_url=redis_url, grace_seconds=0))
    with caplog.at_level(logging.WARNING):
        process.start()
        process.stop()
    assert "NOT SET UP TO KEEP JOBS" in caplog.text
