import errno
from pathlib import Path

import pytest

from respool.backup_folder import BackupFolder, copy_files, files_in
from respool.errors import CannotRun


def test_a_disk_that_takes_no_more_is_told_so_and_nothing_is_left(tmp_path: Path) -> None:
    kept = BackupFolder(tmp_path / "backup")

    def fill() -> None:
        with kept.begun():
            kept.redis.write_bytes(b"a part")
            (kept.files / "a").mkdir(parents=True)
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(CannotRun, match="No space left"):
        fill()
    assert list(kept.path.iterdir()) == []


def test_a_folder_that_holds_something_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "redis.rdb").write_bytes(b"an earlier backup")
    with pytest.raises(CannotRun, match="is not empty"), BackupFolder(tmp_path).begun():
        pass
    assert (tmp_path / "redis.rdb").read_bytes() == b"an earlier backup"


def test_a_second_copy_brings_what_is_new_and_leaves_what_is_there(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    for shelf in ("a", "b", "incoming", "z"):
        (source / shelf).mkdir(parents=True)
    (source / "a" / "a1").write_bytes(b"first")
    (source / "incoming" / "a9").write_bytes(b"unfinished")
    (source / "z" / "z1").write_bytes(b"no file of ours")
    copy_files(source, target)
    (target / "a" / "a1").write_bytes(b"as copied")
    (source / "b" / "b1").write_bytes(b"second")
    copy_files(source, target)
    found = {path.relative_to(target).as_posix(): path.read_bytes() for path in target.rglob("*") if path.is_file()}
    assert found == {"a/a1": b"as copied", "b/b1": b"second"}
    assert {path.name for path in files_in(target)} == {"a1", "b1"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in [target, *target.rglob("*")])
