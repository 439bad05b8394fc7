"""What older releases left is read by every route and ended by the present workers: nothing lost, nothing paid twice.

The records were left by those releases' own processes (tests/old_records/make.py): jobs in every place that there is.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api.app import create_app
from api.services import EXTENSION, Services
from jobs import keys
from jobs.listing import STATUSES
from jobs.projects import Projects
from jobs.settings import Settings
from jobs.usage import UsageLedger
from jobs.workers import Workers
from tests.factories import MODEL
from tests.fakes.old_records import RELEASES, OldJob, OldRecords, load
from tests.fakes.redis_server import running_redis
from tests.fakes.sandbox_server import running_sandbox
from tests.fakes.service import running_workers, seen, wait_for_ends
from tests.fakes.waiting import wait_until

FINISHED = RELEASES if os.environ.get("RESPOOL_CHAOS") == "long" else RELEASES[:1]
"""Their jobs are brought to their ends by workers; in the short form those of the first release alone."""

WAS = {
    "completed": "completed",
    "completed_elsewhere": "completed",
    "failed": "failed",
    "cancelled": "cancelled",
    "lost": "in_progress",
    "lost_for_good": "in_progress",
    "delayed": "queued",
    "dispatched": "queued",
    "queued": "queued",
    "queued_too": "queued",
    "queued_elsewhere": "queued",
}
CALLED_AGAIN = ("lost", "delayed", "dispatched", "queued", "queued_too", "queued_elsewhere")
BECOMES = WAS | dict.fromkeys(CALLED_AGAIN, "completed") | {"lost_for_good": "failed"}


class Asker:
    """Callers of the present API with the keys that the old release made."""

    def __init__(self, client: FlaskClient, old: OldRecords) -> None:
        self._client = client
        self._old = old

    def get(self, path: str, *, key: str = "admin") -> TestResponse:
        answer = self._client.get(path, headers={"Authorization": f"Bearer {self._old.keys[key]}"})
        assert answer.status_code == 200, (path, answer.text)
        return answer

    def json(self, path: str, *, key: str = "admin") -> Any:
        return self.get(path, key=key).json

    def again(self, job: OldJob) -> TestResponse:
        """The same submit once more."""
        headers = {"Authorization": f"Bearer {self._old.keys[job.project]}", "Idempotency-Key": job.key}
        return self._client.post("/v1/jobs", json=job.body, headers=headers)

    def sign_in(self, key: str) -> None:
        page = self._client.get("/console/sign-in").text
        token = page.partition('data-token="')[2].partition('"')[0]
        form = {"csrf_token": token, "key": self._old.keys[key]}
        answer = self._client.post("/console/sign-in", data=form, headers={"Origin": "http://localhost"})
        assert answer.status_code == 303

    def page(self, path: str) -> str:
        answer = self._client.get(path)
        assert answer.status_code == 200, (path, answer.text)
        return str(answer.text)


@contextmanager
def asking(old: OldRecords, redis_url: str) -> Iterator[Asker]:
    """The present API over what was loaded."""
    app = create_app(Settings(redis_url=redis_url))
    yield Asker(app.test_client(), old)
    services: Services = app.extensions[EXTENSION]
    services.endings.close()
    services.followers.close()
    services.happenings.close()
    services.store._client.client_kill_filter(_type="pubsub")
    services.store._client.close()


@pytest.fixture(scope="module", params=RELEASES)
def kept(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[OldRecords, Asker]]:
    """What one release left, on a server of its own, for tests that change nothing."""
    with running_redis(tmp_path_factory.mktemp("redis")) as server, redis.Redis.from_url(server.url) as client:
        old = load(client, request.param)
        with asking(old, server.url) as asker:
            yield old, asker


@pytest.fixture
def old(kept: tuple[OldRecords, Asker]) -> OldRecords:
    return kept[0]


@pytest.fixture
def asker(kept: tuple[OldRecords, Asker]) -> Asker:
    return kept[1]


def test_there_are_records_of_the_releases_up_to_0_5() -> None:
    assert RELEASES == ("0.1.0", "0.2.0", "0.3.0", "0.4.0", "0.5.0")


def test_each_job_is_shown_as_it_was(old: OldRecords, asker: Asker) -> None:
    assert {name: asker.json(f"/v1/jobs/{job.id}")["status"] for name, job in old.jobs.items()} == WAS
    for name, job in old.jobs.items():
        shown = asker.json(f"/v1/jobs/{job.id}?raw=true", key=job.project)
        assert shown["model"] == MODEL
        assert shown["metadata"]["name"] == name
    done = asker.json(f"/v1/jobs/{old.jobs['completed'].id}")
    assert done["response"]["output"][0]["content"][0]["text"]
    assert done["usage"]["total_tokens"] > 0
    assert asker.json(f"/v1/jobs/{old.jobs['failed'].id}")["error"]["code"] == "InvalidParameter"
    (lost,) = asker.json(f"/v1/jobs/{old.jobs['lost'].id}")["attempts"]
    assert (lost["outcome"], lost["delivery"], lost["may_be_billed"]) == ("running", "sent", True)


def test_lists_hold_every_job_once_and_find_it_by_what_it_has(old: OldRecords, asker: Asker) -> None:
    ids = {name: job.id for name, job in old.jobs.items()}
    listed = [job["id"] for job in asker.json("/v1/jobs?limit=100")["data"]]
    assert sorted(listed) == sorted(ids.values())
    for status in STATUSES:
        found = {job["id"] for job in asker.json(f"/v1/jobs?limit=100&status={status}")["data"]}
        assert found == {ids[name] for name, was in WAS.items() if was == status}
    (found,) = asker.json("/v1/jobs?metadata[name]=delayed")["data"]
    assert found["id"] == ids["delayed"]
    assert len(asker.json(f"/v1/jobs?limit=100&model={MODEL}")["data"]) == len(ids)
    of_globex = {job["id"] for job in asker.json("/v1/jobs", key="globex")["data"]}
    assert of_globex == {job.id for job in old.jobs.values() if job.project == "globex"}


def test_each_is_a_response_with_its_input_its_stream_and_its_deliveries(old: OldRecords, asker: Asker) -> None:
    for name, job in old.jobs.items():
        path = f"/v1/responses/resp_{job.number}"
        shown = asker.json(path, key=job.project)
        assert (shown["id"], shown["status"], shown["model"]) == (f"resp_{job.number}", WAS[name], MODEL)
        (item,) = asker.json(f"{path}/input_items", key=job.project)["data"]
        assert f"hello from {name}" in str(item)
        assert asker.json(f"/v1/jobs/{job.id}/deliveries", key=job.project)["data"] == []
    for name in ("completed", "completed_elsewhere", "failed", "cancelled"):
        stream = asker.get(f"/v1/responses/resp_{old.jobs[name].number}?stream=true").text
        first, *_, last = [json.loads(line[6:]) for line in stream.splitlines() if line.startswith("data: {")]
        assert (first["type"], last["response"]["status"]) == ("response.created", WAS[name])


def test_sums_lanes_workers_projects_and_readiness_are_told(old: OldRecords, asker: Asker) -> None:
    day = _day_of(old, asker)
    rows = asker.json(f"/v1/usage?from={day}&to={day}")["data"]
    assert sum(row["completed"] for row in rows) == 2
    assert sum(row["total_tokens"] for row in rows) > 0
    for path in (
        "/v1/lanes",
        "/v1/workers",
        "/v1/projects",
        "/v1/series",
        "/v1/models",
        "/v1/events",
        "/readyz",
        "/metrics",
    ):
        asker.get(path)
    assert {project["id"] for project in asker.json("/v1/projects")["data"]} >= {"acme", "globex"}


def test_the_console_draws_pages_of_them(old: OldRecords, asker: Asker) -> None:
    asker.sign_in("admin")
    listed = asker.page("/console/jobs")
    for job in old.jobs.values():
        assert job.id in listed
        assert job.id in asker.page(f"/console/jobs/{job.id}")
    asker.page("/")


def test_a_submit_that_is_sent_again_finds_its_job(old: OldRecords, asker: Asker) -> None:
    named = [job for job in old.jobs.values() if job.key]
    assert len(named) >= 4
    for job in named:
        answer = asker.again(job)
        assert (answer.status_code, answer.json["id"]) == (202, job.id)
        assert answer.headers["Idempotent-Replayed"] == "true"
        other = OldJob(name="", number="", project=job.project, key=job.key, body={**job.body, "max_attempts": 9})
        assert asker.again(other).json["error"]["code"] == "idempotency_key_reused"
    assert len(asker.json("/v1/jobs?limit=100")["data"]) == len(old.jobs)


@pytest.mark.parametrize("release", FINISHED)
def test_the_present_workers_end_all_of_them_and_call_for_each_once(
    release: str, store_client: redis.Redis, redis_url: str, tmp_path: Path
) -> None:
    old = load(store_client, release)
    with asking(old, redis_url) as asker:
        _ends_all(old, asker, store_client, redis_url, tmp_path)


def _ends_all(old: OldRecords, asker: Asker, store_client: redis.Redis, redis_url: str, folder: Path) -> None:
    kept = {name: asker.json(f"/v1/jobs/{old.jobs[name].id}") for name in ("completed", "failed", "cancelled")}
    numbers = [job.number for job in old.jobs.values()]
    day = _day_of(old, asker)
    before = _completed(store_client, day)
    with running_sandbox() as sandbox, running_workers(1, folder, redis_url, sandbox, slots="20"):
        ended = {job.metadata["name"]: job for job in wait_for_ends(store_client, numbers)}
        wait_until(lambda: _nothing_is_held(store_client))
        told = seen(sandbox)
        assert sum(Workers(store_client).scan()) == 0
    assert {name: job.status for name, job in ended.items()} == BECOMES
    assert told["total"] == len(CALLED_AGAIN)
    assert [attempt["outcome"] for attempt in ended["lost"].attempts] == ["lost", "completed"]
    assert [attempt["outcome"] for attempt in ended["delayed"].attempts] == ["failed", "completed"]
    assert [attempt["outcome"] for attempt in ended["lost_for_good"].attempts] == ["lost"]
    assert (ended["lost_for_good"].error or {})["code"] == "outcome_unknown"
    assert {name: asker.json(f"/v1/jobs/{old.jobs[name].id}") for name in kept} == kept
    for project in ("acme", "globex"):
        assert Projects(store_client).get(project).held_tokens == 0
    assert int(store_client.hget(keys.COUNTERS, "queued_bytes") or 0) == 0
    today = datetime.now(UTC).date().isoformat()
    added = _completed(store_client, today) - (before if today == day else 0)
    assert added == len(CALLED_AGAIN)
    for job in old.jobs.values():
        if job.key:
            assert asker.again(job).json["id"] == job.id


def _day_of(old: OldRecords, asker: Asker) -> str:
    """When its jobs were ended, in UTC."""
    at = asker.json(f"/v1/jobs/{old.jobs['completed'].id}")["finished_at"]
    return datetime.fromtimestamp(at, UTC).date().isoformat()


def _completed(client: redis.Redis, day: str) -> int:
    """Jobs that count as completed on a day."""
    at = datetime.fromisoformat(day).date()
    return sum(row.counts.get("completed", 0) for row in UsageLedger(client).rows(project=None, first=at, last=at))


def _nothing_is_held(client: redis.Redis) -> bool:
    kinds = (
        b":lane_slots:",
        b":project_slots:",
        b":worker_jobs:",
        b":dispatched",
        b":delayed",
        b"lane_queue",
        b":backlog_jobs:",
    )
    return not [key for key in client.scan_iter(count=1000) if any(kind in key for kind in kinds)]
