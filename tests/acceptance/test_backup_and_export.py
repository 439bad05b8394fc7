"""A running service is exported, copied, and started again from the copy."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fakes.up import MODEL, Up, respool

JOBS = 130
"""More than a page holds."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    up = Up(data=tmp_path_factory.mktemp("up") / "data", arguments=("--workers", "1"))
    try:
        yield up.start()
    finally:
        up.clean_up()


@pytest.fixture(scope="module")
def ended(service: Up) -> list[str]:
    numbers = [service.submit() for _ in range(JOBS)]
    assert service.endings(numbers) == {"completed"}
    return numbers


def day(ahead: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=ahead)).isoformat()


def test_every_job_is_exported_once_newest_first(service: Up, ended: list[str]) -> None:
    done = service.run("export", "jobs")
    assert done.returncode == 0, done.stderr
    jobs = [json.loads(line) for line in done.stdout.splitlines()]
    assert [job["id"] for job in jobs] == ended[::-1]
    assert jobs[0] == service.ask("GET", f"/v1/jobs/{ended[-1]}").json()


def test_jobs_of_other_days_are_left_out(service: Up, ended: list[str]) -> None:
    assert service.run("export", "jobs", "--from", day(1), "--to", day(2)).stdout == ""
    assert service.run("export", "jobs", "--to", day(-2)).stdout == ""
    assert len(service.run("export", "jobs", "--from", day(-1), "--to", day(1)).stdout.splitlines()) == len(ended)


def test_usage_is_exported_as_the_api_tells_it(service: Up, ended: list[str], tmp_path: Path) -> None:
    file = tmp_path / "usage.ndjson"
    done = service.run("export", "usage", "--from", day(-1), "--to", day(1), "--output", str(file))
    assert (done.returncode, done.stdout) == (0, "")
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert rows == service.ask("GET", "/v1/usage", params={"from": day(-1), "to": day(1)}).json()["data"][::-1]
    assert (sum(row["completed"] for row in rows), {row["model"] for row in rows}) == (len(ended), {MODEL})
    assert [path.name for path in tmp_path.iterdir()] == ["usage.ndjson"]


@pytest.mark.parametrize(
    "wrong", [("--from", "yesterday"), ("--from", day(0), "--to", day(-1)), ("--from", "2020-01-01")]
)
def test_days_that_are_none_are_refused(service: Up, wrong: tuple[str, ...]) -> None:
    assert service.run("export", "usage", *wrong).returncode == 2


def test_a_file_is_not_left_half_written(service: Up, tmp_path: Path) -> None:
    done = respool("export", "jobs", "--output", str(tmp_path / "jobs.ndjson"), "--url", "http://127.0.0.1:1")
    assert done.returncode == 3
    assert list(tmp_path.iterdir()) == []


def test_a_service_starts_from_its_backup_with_its_jobs_files_and_keys(
    service: Up, ended: list[str], tmp_path: Path
) -> None:
    upload = {"file": ("notes.txt", b"some notes"), "purpose": (None, "user_data")}
    file_id = service.ask("POST", "/v1/files", files=upload).json()["id"]
    done = service.run("backup", str(tmp_path / "backup"))
    assert done.returncode == 0, done.stderr
    assert "1 files" in done.stdout
    assert respool("restore", str(tmp_path / "backup"), "--data", str(tmp_path / "data")).returncode == 0
    restored = Up(data=tmp_path / "data", arguments=("--workers", "1"))
    try:
        restored.start()
        assert restored.key == service.key
        assert restored.endings(ended) == {"completed"}
        assert restored.ask("GET", f"/v1/files/{file_id}/content").content == b"some notes"
        assert restored.ending(restored.submit()) == "completed"
        secret = "webhook-secret"
        assert (restored.data / secret).read_text() == (service.data / secret).read_text()
    finally:
        restored.clean_up()
