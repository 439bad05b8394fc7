from pathlib import Path
from typing import Any

import pytest
import redis
from flask import Flask

from tests.unit.api.batches import begun, line, lines_file, moved_to, runner_at
from tests.unit.api.conftest import AppMaker, Caller
from tests.unit.api.console.conftest import Come, Person
from worker.batches.runner import BatchRunner

EVIL = "<script>alert(1)</script>"


@pytest.fixture
def app(make_app: AppMaker, tmp_path: Path) -> Flask:
    return make_app(files_folder=tmp_path / "files")


@pytest.fixture
def runner(tmp_path: Path, store_client: redis.Redis) -> BatchRunner:
    return runner_at(tmp_path / "files", store_client)


@pytest.fixture
def person(come: Come, app: Flask) -> Person:
    return come("alice")


def refused(custom_id: str) -> bytes:
    return line(custom_id, temperature=99)


@pytest.fixture
def ended(alice: Caller, runner: BatchRunner) -> dict[str, Any]:
    """A batch whose one line was refused, and so has failed."""
    return moved_to(alice, begun(alice, refused(EVIL))["id"], runner, "completed")


def test_the_form_begins_the_batch_that_the_api_would(person: Person, alice: Caller) -> None:
    form = {"file_id": lines_file(alice), "window": "3600", "priority": "3", "metadata": "customer=42"}
    answer = person.post("/console/batches", form)
    assert answer.status_code == 303, answer.text
    batch = alice.get(f"/v1/batches/{answer.location.rpartition('/')[2]}").json
    assert (batch["metadata"], batch["respool"]["priority"]) == ({"customer": "42"}, 3)
    assert batch["respool"]["completion_window_seconds"] == 3600
    assert batch["id"] in person.get("/console/batches").text


@pytest.mark.parametrize(
    ("form", "told"),
    [({}, "is required"), ({"file_id": "file-" + "0" * 32}, "No such File object"), ({"priority": "x"}, "a number"),
     ({"metadata": "x"}, "KEY=VALUE"), ({"window": "0"}, "at least 1"), ({"webhook": "ftp://x"}, "webhook")],
)  # fmt: skip
def test_a_mistake_is_told_with_what_was_typed(form: dict[str, str], told: str, person: Person, alice: Caller) -> None:
    typed = form if not form or "file_id" in form else {"file_id": lines_file(alice), "metadata": EVIL + "=1", **form}
    answer = person.post("/console/batches", typed)
    assert (answer.status_code, told in answer.text) == (400, True)
    assert EVIL not in answer.text


def test_a_line_leads_to_its_job_and_the_job_to_its_batch(person: Person, alice: Caller, runner: BatchRunner) -> None:
    batch = moved_to(alice, begun(alice, line("a"), line("b"))["id"], runner, "in_progress", lines=2)
    jobs = [each["job_id"] for each in alice.get(f"/v1/batches/{batch['id']}/lines").json["data"]]
    page = person.get(f"/console/batches/{batch['id']}").text
    assert all(f'href="/console/jobs/{job}"' in page for job in jobs)
    assert "0 of 2 lines have ended" in page
    job = person.get(f"/console/jobs/{jobs[1]}").text
    assert f'href="/console/batches/{batch["id"]}"' in job
    assert "line 2: <code>b</code>" in job


def test_lines_are_shown_by_their_status_and_after_one_another(
    person: Person, alice: Caller, runner: BatchRunner
) -> None:
    lines = [refused("wrong"), *(line(f"good-{i}") for i in range(60))]
    batch = moved_to(alice, begun(alice, *lines)["id"], runner, "in_progress", lines=60)["id"]
    failed = person.get(f"/console/batches/{batch}?status=failed").text
    assert ("wrong" in failed, "temperature" in failed, "good-1" in failed) == (True, True, False)
    assert "No line is completed" in person.get(f"/console/batches/{batch}?status=completed").text
    first, second = (person.get(f"/console/batches/{batch}{query}").text for query in ("", "?after=50"))
    assert ("good-48" in first, "good-49" in first, "?after=50" in first) == (True, False, True)
    assert ("good-48" in second, "good-49" in second, "Later lines" in second) == (False, True, False)
    for query in ("?after=x", "?after=-1", "?after=" + "9" * 30, "?status=x"):
        assert person.get(f"/console/batches/{batch}{query}").status_code == 200


def test_a_batch_that_runs_is_cancelled(person: Person, alice: Caller, runner: BatchRunner) -> None:
    batch = moved_to(alice, begun(alice, line("a"))["id"], runner, "in_progress", lines=1)["id"]
    assert person.post(f"/console/batches/{batch}/cancel").location == f"/console/batches/{batch}"
    assert moved_to(alice, batch, runner, "cancelled")["id"] == batch


def test_what_failed_is_sent_again_as_a_batch_that_names_the_first(
    person: Person, alice: Caller, ended: dict[str, Any]
) -> None:
    page = person.get(f"/console/batches/{ended['id']}").text
    assert ("1 failed" in page, "Send again what failed" in page, EVIL in page) == (True, True, False)
    failures = person.get(f"/console/files/{ended['error_file_id']}/content")
    assert failures.headers["Content-Disposition"].startswith("attachment")
    again = person.post(f"/console/batches/{ended['id']}/retry").location
    assert f'href="/console/batches/{ended["id"]}"' in person.get(again).text
    assert alice.get(f"/v1/batches/{again.rpartition('/')[2]}").json["respool"]["retry_of"] == ended["id"]


def test_what_has_not_ended_is_not_sent_again_and_the_page_says_why(person: Person, alice: Caller) -> None:
    answer = person.post(f"/console/batches/{begun(alice)['id']}/retry")
    assert (answer.status_code, "has not ended" in answer.text) == (400, True)


def test_a_file_that_is_wrong_is_told_line_by_line(person: Person, alice: Caller, runner: BatchRunner) -> None:
    batch = moved_to(alice, begun(alice, b'{"custom_id": 1}\n', b"{" + EVIL.encode() + b"\n")["id"], runner, "failed")
    page = person.get(f"/console/batches/{batch['id']}").text
    assert ("line 1" in page, "line 2" in page, EVIL in page) == (True, True, False)


def test_without_files_the_page_says_what_is_missing(make_app: AppMaker, tenants: Any) -> None:
    text, key = tenants.create(project="alice", role="member")
    person = Person(client=make_app().test_client(), text=text, key=key)
    person.sign_in()
    assert "RESPOOL_FILES_FOLDER" in person.get("/console/batches").text
    assert person.post("/console/batches", {"file_id": "x"}).status_code == 501
