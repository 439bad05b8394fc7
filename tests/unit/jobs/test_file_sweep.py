import os
import time
from pathlib import Path

import pytest
import redis

from jobs import keys
from jobs.errors import FileNotFound
from jobs.file_folder import SHELVES, FileFolder
from jobs.file_record import File
from jobs.file_sweep import STALE_SECONDS, SWEEP_FILES, FileSweep
from jobs.files import Files
from tests.fakes.files import put, store_at


@pytest.fixture
def files(store_client: redis.Redis, tmp_path: Path) -> Files:
    return store_at(tmp_path, store_client)


@pytest.fixture
def sweep(files: Files, store_client: redis.Redis, tmp_path: Path) -> FileSweep:
    return FileSweep(store_client, FileFolder(tmp_path))


def on_disk(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def aged(path: Path) -> None:
    past = time.time() - STALE_SECONDS - 10
    os.utime(path, (past, past))


def expire(client: redis.Redis, file: File) -> None:
    client.zadd(keys.PREFIX + "expiring_files", {file.number: 1})


def test_what_has_expired_goes_with_its_bytes_and_its_room(
    files: Files, sweep: FileSweep, store_client: redis.Redis, tmp_path: Path
) -> None:
    old, young, lasting = put(files, b"old", expires=3600), put(files, b"young", expires=3600), put(files, b"lasting")
    expire(store_client, old)
    assert sweep.sweep() == 1
    with pytest.raises(FileNotFound):
        files.get(old.id, project=None)
    assert on_disk(tmp_path) == {young.number, lasting.number}
    assert store_client.hget(keys.project("alice"), "file_bytes") == b"12"
    assert store_client.zrange(keys.files("user_data", "alice"), 0, -1) == [n.number.encode() for n in (young, lasting)]


def test_one_sweep_a_minute_does_for_all(files: Files, sweep: FileSweep, store_client: redis.Redis) -> None:
    assert sweep.sweep() == 0
    expire(store_client, put(files, b"x", expires=3600))
    assert sweep.sweep() is None
    store_client.delete(keys.FILE_SWEEP)
    assert sweep.sweep() == 1


def test_a_sweep_is_a_bounded_piece(files: Files, sweep: FileSweep, store_client: redis.Redis) -> None:
    store_client.zadd(keys.PREFIX + "expiring_files", {f"{n:032x}": 1 for n in range(SWEEP_FILES + 1)})
    assert sweep.sweep() == SWEEP_FILES
    store_client.delete(keys.FILE_SWEEP)
    assert sweep.sweep() == 1


def test_old_bytes_without_a_record_go_and_all_others_stay(
    files: Files, sweep: FileSweep, store_client: redis.Redis, tmp_path: Path
) -> None:
    kept, orphan, fresh = (put(files, b"x") for _ in range(3))
    store_client.delete(keys.file(orphan.number), keys.file(fresh.number))
    for file in (kept, orphan):
        aged(tmp_path / file.number[0] / file.number)
    assert sum(sweep.drop_orphans(shelf) for shelf in SHELVES) == 1
    assert on_disk(tmp_path) == {kept.number, fresh.number}


def test_each_sweep_looks_at_a_part_of_the_disk_and_they_come_to_all_of_it(
    files: Files, sweep: FileSweep, store_client: redis.Redis, tmp_path: Path
) -> None:
    for shelf in SHELVES:
        (tmp_path / shelf / (shelf * 32)).touch()
        aged(tmp_path / shelf / (shelf * 32))
    left = len(SHELVES)
    for _ in range(1000):
        store_client.delete(keys.FILE_SWEEP)
        found = sweep.sweep()
        assert found in (0, 1)
        left -= found
        if not left:
            break
    assert on_disk(tmp_path) == set()


def test_what_never_became_a_file_goes_when_it_is_old(sweep: FileSweep, tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / "incoming" / name).touch()
    aged(tmp_path / "incoming" / "old")
    assert sweep.sweep() == 1
    assert on_disk(tmp_path) == {"new"}
