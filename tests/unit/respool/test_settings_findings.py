from pathlib import Path

import pytest

from jobs.settings import Settings
from respool.settings_findings import of_environment, of_upstream
from tests.fakes.redis_server import free_port
from tests.fakes.small_api import answering


def levels(environ: dict[str, str]) -> dict[str, str]:
    return {found.subject: found.level for found in of_environment(environ)}


def test_a_clients_environment_is_not_judged() -> None:
    assert levels({"RESPOOL_URL": "http://h", "RESPOOL_API_KEY": "k", "PATH": "/bin"}) == {}


@pytest.mark.parametrize(
    "environ", [{"RESPOOL_SLOTS": "many"}, {"RESPOOL_SLOT": "5"}, {"RESPOOL_LIMITS_FILE": "/nowhere.toml"}]
)
def test_a_wrong_setting_is_a_fault(environ: dict[str, str]) -> None:
    assert levels(environ) == {"settings": "fail"}


def test_an_account_whose_key_is_unset_is_a_fault(tmp_path: Path) -> None:
    file = tmp_path / "limits.toml"
    file.write_text('[accounts.spare]\nurl = "http://spare"\napi_key_variable = "SPARE_KEY"\n')
    assert levels({"RESPOOL_LIMITS_FILE": str(file)}) == {"settings": "fail"}


def test_the_files_folder_must_be_there_and_nothing_is_left_in_it(tmp_path: Path) -> None:
    assert levels({"RESPOOL_FILES_FOLDER": str(tmp_path)})["files folder"] in ("ok", "warn")
    assert list(tmp_path.iterdir()) == []
    assert "fail" in levels({"RESPOOL_FILES_FOLDER": str(tmp_path / "none")}).values()


def test_an_upstream_that_answers_anything_is_reached_and_gets_no_key() -> None:
    with answering(lambda *_: (401, {}, {})) as (api, asked):
        url = api.session.target.url
        found = levels({"RESPOOL_UPSTREAM_URL": url, "RESPOOL_UPSTREAM_API_KEY": "secret"})
    assert found["upstream default"] == "ok"
    assert asked[0].headers["Authorization"] is None


def test_an_upstream_that_does_not_answer_is_a_fault() -> None:
    found = of_upstream("default", f"http://127.0.0.1:{free_port()}/v1", Settings())
    assert (found.level, "does not answer" in found.told) == ("fail", True)
