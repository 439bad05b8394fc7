"""A backup of a service that runs, and a service that starts from it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from jobs.connection import connect
from tests.fakes.files import put, store_at
from tests.fakes.redis_server import running_redis
from tests.fakes.sandbox_server import running_sandbox
from tests.fakes.service import jobs_of, running_workers, seen, submit, wait_for_ends
from tests.fakes.up import respool
from tests.fakes.waiting import wait_until

AOF = ("--appendonly", "yes", "--repl-diskless-sync-delay", "0")
SECRET = "a secret of the service"


def folder(path: Path) -> Path:
    path.mkdir()
    return path


@contextmanager
def served(path: Path, sandbox: str, *, data: str = "old", **settings: str) -> Iterator[tuple[str, redis.Redis]]:
    """A server on the folder `data`, and a worker that is killed at the end, before it."""
    (path / data).mkdir(exist_ok=True)
    with (
        running_redis(path / data, *AOF) as server,
        connect(server.url) as client,
        running_workers(1, path, server.url, sandbox, **settings),
    ):
        yield server.url, client


def backed_up(redis_url: str, to: Path, *, files: Path | None = None, **settings: str) -> None:
    options = ["--files", str(files)] if files else []
    done = respool("backup", str(to), *options, environ={"RESPOOL_REDIS_URL": redis_url} | settings)
    assert done.returncode == 0, done.stderr


def test_no_job_is_lost_and_none_is_called_twice_by_a_service_that_was_restored(tmp_path: Path) -> None:
    with running_sandbox() as sandbox:
        with served(tmp_path, sandbox, slots="1") as (url, client):
            done = submit(client, 5)
            before = wait_for_ends(client, done)
            failing = submit(client, 1, fault="hang", on_unknown="fail", priority=9)
            wait_until(lambda: seen(sandbox)["total"] == 6)
            waiting = submit(client, 4)
            backed_up(url, tmp_path / "backup")
        restored = respool("restore", str(tmp_path / "backup"), "--redis-folder", str(tmp_path / "new"))
        assert restored.returncode == 0, restored.stderr
        with served(tmp_path, sandbox, data="new", slots="1") as (_, client):
            ended = wait_for_ends(client, [*failing, *waiting])
            assert jobs_of(client, done) == before
        assert Counter(job.status for job in ended) == {"failed": 1, "completed": 4}
        (lost,) = [job for job in ended if job.status == "failed"]
        assert lost.error is not None
        assert lost.error["code"] == "outcome_unknown"
        assert [(attempt["outcome"], attempt["may_be_billed"]) for attempt in lost.attempts] == [("lost", True)]
        assert seen(sandbox)["total"] == 10


def test_what_ran_is_called_again_where_its_job_says_so_and_the_lost_call_counts_as_billed(tmp_path: Path) -> None:
    with running_sandbox() as sandbox:
        with served(tmp_path, sandbox) as (url, client):
            numbers = submit(client, 1, fault="hang;times=1", on_unknown="retry")
            wait_until(lambda: seen(sandbox)["total"] == 1)
            backed_up(url, tmp_path / "backup")
        assert respool("restore", str(tmp_path / "backup"), "--redis-folder", str(tmp_path / "new")).returncode == 0
        with served(tmp_path, sandbox, data="new") as (_, client):
            (job,) = wait_for_ends(client, numbers)
        lost, answered = job.attempts
        assert (lost["outcome"], lost["may_be_billed"]) == ("lost", True)
        assert (job.status, answered["outcome"]) == ("completed", "completed")


def test_what_is_restored_survives_a_restart_and_takes_writes(tmp_path: Path) -> None:
    with running_redis(folder(tmp_path / "old"), *AOF) as server, connect(server.url) as client:
        numbers = submit(client, 3)
        backed_up(server.url, tmp_path / "backup")
    assert respool("restore", str(tmp_path / "backup"), "--redis-folder", str(tmp_path / "new")).returncode == 0
    for _ in range(2):
        with running_redis(tmp_path / "new", *AOF, "--appendfsync", "always") as server, connect(server.url) as client:
            assert len(jobs_of(client, numbers)) == len(numbers)
            numbers += submit(client, 1)
    assert len(numbers) == 5


def test_uploaded_files_come_along_and_unfinished_ones_do_not(tmp_path: Path) -> None:
    files = folder(tmp_path / "files")
    with running_redis(folder(tmp_path / "old"), *AOF) as server, connect(server.url) as client:
        kept = put(store_at(files, client), b"some bytes")
        (files / "incoming" / "half").write_bytes(b"half a")
        backed_up(server.url, tmp_path / "backup", files=files)
    target = ["--redis-folder", str(tmp_path / "new"), "--files-folder", str(tmp_path / "files2")]
    assert respool("restore", str(tmp_path / "backup"), *target).returncode == 0
    with running_redis(tmp_path / "new", *AOF) as server, connect(server.url) as client:
        store = store_at(tmp_path / "files2", client)
        with store.open(kept) as file:
            assert file.read() == b"some bytes"
    assert not list((tmp_path / "files2" / "incoming").iterdir())


def test_a_backup_is_for_its_owner_alone_and_does_not_hold_the_secret(tmp_path: Path) -> None:
    with running_redis(folder(tmp_path / "old"), *AOF) as server:
        backed_up(server.url, tmp_path / "backup", RESPOOL_SECRET=SECRET)
    for path in [tmp_path / "backup", *(tmp_path / "backup").rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path
        assert path.is_dir() or SECRET.encode() not in path.read_bytes()


@pytest.mark.parametrize("secret", ["", "another secret"])
def test_a_backup_is_not_restored_under_another_secret(tmp_path: Path, secret: str) -> None:
    with running_redis(folder(tmp_path / "old"), *AOF) as server:
        backed_up(server.url, tmp_path / "backup", RESPOOL_SECRET=SECRET)
    command = ("restore", str(tmp_path / "backup"), "--redis-folder", str(tmp_path / "new"))
    refused = respool(*command, environ={"RESPOOL_SECRET": secret})
    assert refused.returncode == 2
    assert "RESPOOL_SECRET is not that of the backup" in refused.stderr
    assert not (tmp_path / "new").exists()
    assert respool(*command, environ={"RESPOOL_SECRET": SECRET}).returncode == 0


def test_whoever_lost_the_secret_has_the_jobs_back_all_the_same(tmp_path: Path) -> None:
    with running_redis(folder(tmp_path / "old"), *AOF) as server, connect(server.url) as client:
        numbers = submit(client, 1)
        backed_up(server.url, tmp_path / "backup", RESPOOL_SECRET=SECRET)
    command = ("restore", str(tmp_path / "backup"), "--redis-folder", str(tmp_path / "new"), "--other-secret")
    assert respool(*command).returncode == 0
    with running_redis(tmp_path / "new", *AOF) as server, connect(server.url) as client:
        assert len(jobs_of(client, numbers)) == 1


@pytest.mark.parametrize("broken", ["unfinished", "emptied", "damaged", "format", "file lost", "file cut"])
def test_a_backup_that_is_not_whole_is_refused(tmp_path: Path, broken: str) -> None:
    backup, files = tmp_path / "backup", folder(tmp_path / "files")
    with running_redis(folder(tmp_path / "old"), *AOF) as server, connect(server.url) as client:
        put(store_at(files, client), b"some bytes")
        backed_up(server.url, backup, files=files)
    (file,) = [path for path in (backup / "files").rglob("*") if path.is_file()]
    if broken == "unfinished":
        (backup / "backup.json").unlink()
    elif broken == "emptied":
        (backup / "backup.json").write_text("{}")
    elif broken == "file lost":
        file.unlink()
    elif broken == "file cut":
        file.write_bytes(b"some")
    elif broken == "damaged":
        with (backup / "redis.rdb").open("r+b") as saved:
            saved.write(b"X")
    else:
        text = (backup / "backup.json").read_text()
        (backup / "backup.json").write_text(text.replace('"format": 1', '"format": 2'))
    target = ["--redis-folder", str(tmp_path / "new"), "--files-folder", str(tmp_path / "files2")]
    refused = respool("restore", str(backup), *target)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "backup" in refused.stderr
    assert not (tmp_path / "new").exists()


def test_a_folder_of_files_that_is_not_there_is_no_folder_without_files(tmp_path: Path) -> None:
    with running_redis(folder(tmp_path / "old"), *AOF) as server:
        environ = {"RESPOOL_REDIS_URL": server.url, "RESPOOL_FILES_FOLDER": str(tmp_path / "mistyped")}
        refused = respool("backup", str(tmp_path / "backup"), environ=environ)
    assert refused.returncode == 2
    assert "mistyped" in refused.stderr
    assert not (tmp_path / "backup").exists()


def test_nothing_is_written_over(tmp_path: Path) -> None:
    with running_redis(folder(tmp_path / "old"), *AOF) as server:
        backed_up(server.url, tmp_path / "backup")
        again = respool("backup", str(tmp_path / "backup"), environ={"RESPOOL_REDIS_URL": server.url})
        assert "is not empty" in again.stderr
        onto = respool("restore", str(tmp_path / "backup"), "--redis-folder", str(tmp_path / "old"))
    assert (again.returncode, onto.returncode) == (1, 1)
    assert "is not empty" in onto.stderr


def test_a_user_that_may_not_copy_is_told_so_and_leaves_no_whole_backup(tmp_path: Path) -> None:
    with running_redis(folder(tmp_path / "old"), *AOF) as server, redis.Redis(port=server.port) as client:
        client.acl_setuser("reader", enabled=True, passwords=["+word"], keys=["*"], commands=["+@all", "-sync"])
        url = f"redis://reader:word@127.0.0.1:{server.port}/0"
        refused = respool("backup", str(tmp_path / "backup"), environ={"RESPOOL_REDIS_URL": url})
    assert refused.returncode == 1
    assert "Redis hands out no copy of itself" in refused.stderr
    assert list((tmp_path / "backup").iterdir()) == []
