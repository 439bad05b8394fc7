from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from respool.data_folder import DataFolder, Service
from respool.errors import Unreachable, WrongSettings
from respool.target import Store, Target, find_api, find_store, over_http

SERVICE = Service(url="http://127.0.0.1:1", redis_url="redis://127.0.0.1:2", api_key="rsp_x", secret="s", pid=3)
HERE = Target(url="http://127.0.0.1:1", api_key="rsp_x")


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("URL", "API_KEY", "REDIS_URL", "SECRET", "LIMITS_FILE"):
        monkeypatch.delenv(f"RESPOOL_{name}", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def running() -> Iterator[Path]:
    """The default folder of the working directory, with a service on it."""
    folder = DataFolder(Path(".respool"))
    with folder.claimed():
        folder.publish(SERVICE)
        yield folder.path


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESPOOL_URL", "https://respool.example/")
    monkeypatch.setenv("RESPOOL_REDIS_URL", "redis://redis.example:6379/0")


@pytest.mark.usefixtures("running")
def test_a_running_up_is_found_by_its_default_folder() -> None:
    assert find_api(url=None, folder=None) == HERE
    assert find_store(folder=None) == Store(redis_url="redis://127.0.0.1:2", secret="s")


def test_the_limits_file_is_the_services_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, its = tmp_path / "ours.toml", tmp_path / "its.toml"
    ours.write_text("")
    monkeypatch.setenv("RESPOOL_LIMITS_FILE", str(ours))
    assert find_store(folder=None).limits_file == ours
    folder = DataFolder(tmp_path / "data")
    with folder.claimed():
        folder.publish(replace(SERVICE, limits_file=str(its)))
        assert find_store(folder=folder.path).limits_file == its
        folder.publish(SERVICE)
        assert find_store(folder=folder.path).limits_file is None


@pytest.mark.usefixtures("running", "elsewhere")
def test_the_environment_goes_before_the_default_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESPOOL_API_KEY", "rsp_mine")
    assert find_api(url=None, folder=None) == Target(url="https://respool.example", api_key="rsp_mine")
    assert find_store(folder=None) == Store(redis_url="redis://redis.example:6379/0", secret="")


@pytest.mark.usefixtures("elsewhere")
def test_a_folder_that_is_asked_for_goes_before_the_environment(running: Path) -> None:
    assert find_api(url=None, folder=running) == HERE
    assert find_store(folder=running).redis_url == "redis://127.0.0.1:2"


@pytest.mark.usefixtures("running", "elsewhere")
def test_a_url_that_is_asked_for_goes_before_everything_and_gets_no_key_of_another_service() -> None:
    assert find_api(url="http://127.0.0.1:9/", folder=None) == Target(url="http://127.0.0.1:9", api_key="")
    assert find_api(url="http://127.0.0.1:1", folder=None) == HERE


@pytest.mark.usefixtures("running")
def test_a_key_of_the_environment_goes_before_the_development_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESPOOL_API_KEY", "rsp_mine")
    assert find_api(url=None, folder=None).api_key == "rsp_mine"


def test_without_a_service_it_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="respool up"):
        find_api(url=None, folder=None)
    with pytest.raises(Unreachable, match="respool up"):
        find_store(folder=tmp_path)


def test_without_a_service_keys_are_kept_where_the_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESPOOL_SECRET", "s2")
    assert find_store(folder=None) == Store(redis_url="redis://127.0.0.1:6379/0", secret="s2")


def test_a_wrong_setting_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESPOOL_REDIS_URL", "http://not.redis")
    with pytest.raises(WrongSettings, match="RESPOOL_REDIS_URL"):
        find_store(folder=None)


def test_only_who_is_told_of_nothing_but_an_apis_url_has_to_ask_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not over_http(url=None, folder=None)
    monkeypatch.setenv("RESPOOL_URL", "https://respool.example/")
    assert over_http(url=None, folder=None)
    assert not over_http(url=None, folder=Path("data"))
    monkeypatch.setenv("RESPOOL_REDIS_URL", "redis://redis.example:6379/0")
    assert not over_http(url=None, folder=None)
    assert over_http(url="https://respool.example", folder=None)


@pytest.mark.usefixtures("running")
def test_a_url_that_is_the_running_ups_own_leads_to_its_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESPOOL_URL", SERVICE.url)
    assert not over_http(url=None, folder=None)


@pytest.mark.usefixtures("running")
def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESPOOL_URL", "")
    assert find_api(url=None, folder=None) == HERE


@pytest.mark.parametrize(
    "address", ["https://h.example", "https://h.example/", "https://h.example/v1", " https://h.example/v1/ "]
)
def test_the_base_url_of_an_sdk_names_the_same_service(address: str) -> None:
    assert find_api(url=address, folder=None).url == "https://h.example"


@pytest.mark.parametrize(
    "address",
    ["localhost:8000", "ftp://h", "http://", "http://[::1", "http://h:99999", "http://a b", "http://x\ny", "/v1"],
)
def test_what_is_no_address_is_wrong_usage(address: str) -> None:
    with pytest.raises(WrongSettings, match=r"such as http://127\.0\.0\.1:8000"):
        find_api(url=address, folder=None)


@pytest.mark.parametrize("key", ["rsp_a\nX-Other: b", "rsp_a b", "rsp_ключ", "rsp_\x1b"])
def test_a_key_that_cannot_be_one_is_refused_and_not_shown(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESPOOL_API_KEY", key)
    with pytest.raises(WrongSettings, match="RESPOOL_API_KEY") as refused:
        find_api(url="http://h", folder=None)
    assert "rsp_" not in refused.value.message


def test_what_surrounds_a_key_is_no_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESPOOL_API_KEY", " rsp_a\r\n")
    assert find_api(url="http://h", folder=None).api_key == "rsp_a"


def test_a_folder_of_somebody_else_is_told_from_an_empty_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    with pytest.raises(Unreachable, match="no service runs on"):
        find_api(url=None, folder=tmp_path / "theirs")
    monkeypatch.setattr("os.access", lambda *_: False)  # root, who may run this, may read everything
    with pytest.raises(Unreachable, match="not yours to read"):
        find_api(url=None, folder=tmp_path / "theirs")
