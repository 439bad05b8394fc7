import logging
from pathlib import Path

import pytest

from jobs.errors import SettingsError
from jobs.settings import Settings
from tests.fakes.redis_server import free_port
from worker.process import Process
from worker.queue_process import WRITE_SECONDS


def test_a_process_writes_with_more_patience_than_it_asks() -> None:
    """A large answer over a slow link is no outage; a poll of the lease has to notice one."""
    process = Process(Settings(redis_url=f"redis://127.0.0.1:{free_port()}/0"), {})
    assert process._parts.coalescer._client.connection_pool.connection_kwargs["socket_timeout"] == WRITE_SECONDS
    assert process._workers._client.connection_pool.connection_kwargs["socket_timeout"] < 2


def test_a_process_warns_at_its_start_of_a_redis_that_may_lose_jobs(
    redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    process = Process(Settings(redis_url=redis_url, unsafe_redis="allow", grace_seconds=0), {})
    with caplog.at_level(logging.WARNING):
        process.start()
        process.stop()
    assert "NOT SET UP TO KEEP JOBS" in caplog.text


LIMITS = """
[accounts.one]
url = "http://127.0.0.1:1/v1"
api_key_variable = "ONE_KEY"

[accounts.two]
url = "http://127.0.0.1:2/v1"
background = true

[prices."m"]
input = 1
output = 2
"""


def test_a_process_calls_the_accounts_of_the_limits_file_by_their_keys(tmp_path: Path) -> None:
    path = tmp_path / "limits.toml"
    path.write_text(LIMITS)
    settings = Settings(redis_url=f"redis://127.0.0.1:{free_port()}/0", limits_file=path)
    attempts = Process(settings, {"ONE_KEY": "secret"})._attempts
    assert {name: endpoint.background for name, endpoint in attempts.endpoints.items()} == {"one": False, "two": True}
    assert attempts.endpoints["one"].client._wire._headers["Authorization"] == "Bearer secret"
    assert attempts.results.prices["m"].output == 2
    with pytest.raises(SettingsError, match="ONE_KEY"):
        Process(settings, {})


def test_without_a_limits_file_there_is_the_account_of_the_settings(redis_url: str) -> None:
    attempts = Process(Settings(redis_url=redis_url), {})._attempts
    assert list(attempts.endpoints) == ["default"]
