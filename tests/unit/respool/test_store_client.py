from pathlib import Path

import pytest

from jobs.tenants import Tenants
from respool.errors import Unreachable, WrongSettings
from respool.store_client import limits_of, opened_store
from respool.target import Store
from tests.fakes.redis_server import free_port


def test_the_store_is_opened_and_closed(redis_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RESPOOL_REDIS_URL", redis_url)
    with opened_store(None) as (client, store):
        assert client.ping()
        assert store.redis_url == redis_url


def test_a_server_that_does_not_answer_is_unreachable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RESPOOL_REDIS_URL", f"redis://127.0.0.1:{free_port()}/0")
    with pytest.raises(Unreachable, match="does not answer"), opened_store(None) as (client, _):
        Tenants(client, secret="").list()


def test_a_limits_file_that_has_become_wrong_is_named(tmp_path: Path) -> None:
    store = Store(redis_url="redis://127.0.0.1:1/0", secret="", limits_file=tmp_path / "gone.toml")
    with pytest.raises(WrongSettings, match="RESPOOL_LIMITS_FILE"):
        limits_of(store)


@pytest.mark.parametrize("address", ["redis://nobody:wrong@{host}", "redis://{host}/99999"])
def test_a_server_that_refuses_is_told_from_one_that_is_away(
    address: str, redis_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    host = redis_url.removeprefix("redis://").partition("/")[0].rpartition("@")[2]
    monkeypatch.setenv("RESPOOL_REDIS_URL", address.format(host=host))
    with pytest.raises(Unreachable, match=r"refuses \(.*is RESPOOL_REDIS_URL right"), opened_store(None) as (client, _):
        Tenants(client, secret="").list()
