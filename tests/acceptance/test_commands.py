"""The commands against a running service, found by its folder."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.fakes.up import MODEL, Up, respool

BARE = json.dumps({"model": MODEL, "input": "hello there"})


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    up = Up(data=tmp_path_factory.mktemp("up") / "data", arguments=("--workers", "1"))
    try:
        yield up.start()
    finally:
        up.clean_up()


def submitted(service: Up, body: str) -> str:
    done = service.run("submit", "-", stdin=body)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_bare_request_from_standard_input_becomes_a_job_whose_text_and_usage_watch_prints(service: Up) -> None:
    job_id = submitted(service, BARE)
    watched = service.run("watch", job_id)
    assert watched.returncode == 0
    assert watched.stdout.startswith("Sandbox: no language model.")
    *_, ending, last = watched.stderr.splitlines()
    assert ending == f"{job_id} completed, 1 attempt"
    assert last.startswith("tokens: ")


def test_a_file_may_hold_a_whole_job(service: Up, tmp_path: Path) -> None:
    file = tmp_path / "job.json"
    file.write_text(json.dumps({"request": json.loads(BARE), "metadata": {"who": "me"}, "max_attempts": 1}))
    done = service.run("submit", str(file), "--json")
    job = json.loads(done.stdout)
    assert (job["metadata"], job["max_attempts"]) == ({"who": "me"}, 1)


def test_watch_follows_several_jobs_and_ends_with_1_if_one_of_them_failed(service: Up) -> None:
    good = submitted(service, BARE)
    bad = submitted(
        service, json.dumps({"model": MODEL, "input": "x", "metadata": {"sandbox": "status=400;code=InvalidParameter"}})
    )
    watched = service.run("watch", good, bad)
    assert watched.returncode == 1
    assert f"{good} completed" in watched.stdout
    assert f"{bad} failed" in watched.stdout


def test_every_mistake_of_a_request_is_told_on_its_own_line(service: Up) -> None:
    refused = service.run(
        "submit", "-", stdin=json.dumps({"model": MODEL, "input": "x", "top_p": 2, "temperature": -1})
    )
    assert refused.returncode == 1
    assert "\n  request.top_p: " in refused.stderr
    assert "\n  request.temperature: " in refused.stderr


def test_jobs_lists_the_newest_first_and_by_status(service: Up) -> None:
    older, newer = submitted(service, BARE), submitted(service, BARE)
    assert service.run("watch", older, newer).returncode == 0
    listed = [json.loads(line)["id"] for line in service.run("jobs", "--json", "--limit", "2").stdout.splitlines()]
    assert listed == [newer, older]
    assert older in service.run("jobs", "--status", "completed").stdout
    assert older not in service.run("jobs", "--status", "queued").stdout


def test_a_key_opens_its_own_project_alone_and_nothing_once_it_is_revoked(service: Up) -> None:
    others = submitted(service, BARE)
    created = service.run("keys", "create", "--project", "film")
    key = created.stdout.strip()
    key_id = created.stderr.split()[0]
    headers = {"Authorization": f"Bearer {key}"}
    assert requests.get(f"{service.url}/v1/jobs", headers=headers, timeout=10).json()["data"] == []
    assert requests.get(f"{service.url}/v1/jobs/{others}", headers=headers, timeout=10).status_code == 404
    assert key_id in service.run("keys", "list").stdout

    assert service.run("keys", "revoke", key_id).returncode == 0
    assert requests.get(f"{service.url}/v1/jobs", headers=headers, timeout=10).status_code == 401


def test_a_key_that_does_not_exist_cannot_be_revoked(service: Up) -> None:
    refused = service.run("keys", "revoke", "key_0")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "key_0" in refused.stderr


def test_a_wrong_api_key_is_told(service: Up) -> None:
    refused = respool("jobs", "--url", service.url, environ={"RESPOOL_API_KEY": "rsp_wrong"})
    assert refused.returncode == 1
    assert "401" in refused.stderr


def test_without_a_service_commands_end_with_3(tmp_path: Path) -> None:
    nowhere = respool("jobs", "--data", str(tmp_path))
    assert nowhere.returncode == 3
    assert "respool up" in nowhere.stderr
