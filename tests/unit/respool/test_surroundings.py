from pathlib import Path

import pytest

from jobs.settings import Settings, read_settings
from jobs.webhooks.secrets import new_secret
from respool.data_folder import Service
from respool.errors import WrongSettings
from respool.surroundings import ROOMS, checked, environment

SERVICE = Service(url="http://127.0.0.1:1", redis_url="redis://127.0.0.1:2/0", api_key="rsp_x", secret="", pid=3)
SECRET = new_secret()
FILES = Path("/data/files")


def settings_of_processes(environ: dict[str, str], *, slots: int | None = None, sandbox: str | None = None) -> Settings:
    """What the processes read of what `up` gives them."""
    return read_settings(processes_environ(environ, slots=slots, sandbox=sandbox))


def processes_environ(
    environ: dict[str, str], *, slots: int | None = None, sandbox: str | None = None
) -> dict[str, str]:
    settings = checked(environ)
    secret = settings.webhook_secret or SECRET
    return environment(
        environ, settings, SERVICE, slots=slots, sandbox_url=sandbox, webhook_secret=secret, files_folder=FILES
    )


def test_processes_are_pointed_at_each_other() -> None:
    found = settings_of_processes({}, slots=7, sandbox="http://127.0.0.1:4")
    assert found.redis_url == "redis://127.0.0.1:2/0"
    assert found.api_key == "rsp_x"
    assert found.public_url == "http://127.0.0.1:1"
    assert found.slots == 7
    assert found.upstream_url == "http://127.0.0.1:4/v1"


def test_calls_to_the_sandbox_carry_no_real_key_and_take_no_proxy() -> None:
    real = {"RESPOOL_UPSTREAM_API_KEY": "real", "RESPOOL_UPSTREAM_PROXY": "http://proxy:3128"}
    found = settings_of_processes(real, sandbox="http://127.0.0.1:4")
    assert found.upstream_api_key == "sandbox"
    assert found.upstream_proxy == ""


def test_a_real_upstream_stays_as_it_was_set() -> None:
    real = {"RESPOOL_UPSTREAM_URL": "https://real.example/v1", "RESPOOL_UPSTREAM_API_KEY": "real"}
    found = settings_of_processes(real)
    assert (found.upstream_url, found.upstream_api_key) == ("https://real.example/v1", "real")


def test_the_grace_can_be_made_shorter_but_not_longer_than_the_time_to_stop() -> None:
    assert settings_of_processes({"RESPOOL_GRACE_SECONDS": "1.5"}).grace_seconds == 1.5
    assert settings_of_processes({}).grace_seconds < Settings().grace_seconds


def test_what_is_set_stays_where_up_has_nothing_to_say() -> None:
    given = {"RESPOOL_SLOTS": "5", "RESPOOL_PUBLIC_URL": "https://jobs.example", "HOME": "/home/me"}
    found = settings_of_processes(given)
    assert (found.slots, found.public_url) == (5, "https://jobs.example")
    assert processes_environ(given)["HOME"] == "/home/me"


def test_files_are_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "limits.toml").write_text("")
    (tmp_path / "ca.pem").write_text("")
    monkeypatch.chdir(tmp_path)
    found = settings_of_processes({"RESPOOL_LIMITS_FILE": "limits.toml", "RESPOOL_WEBHOOK_CA_FILE": "ca.pem"})
    assert found.limits_file == tmp_path / "limits.toml"
    assert found.webhook_ca_file == tmp_path / "ca.pem"


def test_every_process_gets_the_secret_that_signs_webhooks() -> None:
    assert settings_of_processes({}).webhook_secret == SECRET


def test_files_lie_in_the_data_folder_unless_they_are_to_lie_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert settings_of_processes({}).files_folder == FILES
    assert settings_of_processes({"RESPOOL_FILES_FOLDER": "mine"}).files_folder == tmp_path / "mine"


def test_all_rooms_can_be_imported_from_where_the_processes_run() -> None:
    for room in ("schemas", "jobs", "worker", "api", "sandbox", "respool"):
        assert (ROOMS / room / "__init__.py").is_file()


def test_a_wrong_setting_is_named() -> None:
    with pytest.raises(WrongSettings, match="RESPOOL_SLOTS") as caught:
        checked({"RESPOOL_SLOTS": "0"})
    assert caught.value.exit_code == 2


def test_a_wrong_limits_file_is_named_before_anything_starts(tmp_path: Path) -> None:
    limits = tmp_path / "limits.toml"
    limits.write_text("[default]\nin_flight = 0\n")
    with pytest.raises(WrongSettings, match=r"RESPOOL_LIMITS_FILE: \[default\] in_flight"):
        checked({"RESPOOL_LIMITS_FILE": str(limits)})


def test_the_key_of_an_account_is_wanted_before_anything_starts_and_handed_on(tmp_path: Path) -> None:
    limits = tmp_path / "limits.toml"
    limits.write_text('[accounts.a]\nurl = "https://a.example/v1"\napi_key_variable = "A_KEY"\n')
    given = {"RESPOOL_LIMITS_FILE": str(limits)}
    with pytest.raises(WrongSettings, match="A_KEY: is unset"):
        checked(given)
    given["A_KEY"] = "real"
    handed = processes_environ(given)
    assert handed["A_KEY"] == "real"


def test_lines_beside_those_of_others_are_text_unless_json_is_asked_for() -> None:
    assert settings_of_processes({}).log_format == "text"
    assert settings_of_processes({"RESPOOL_LOG_FORMAT": "json"}).log_format == "json"
