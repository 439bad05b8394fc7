import os
import time
from pathlib import Path

import pytest

from jobs.errors import FileNotFound, FileTooLarge, FolderUnavailable, SettingsError
from jobs.file_folder import SHELVES, FileFolder

A = "a" * 32


def made(path: Path) -> FileFolder:
    folder = FileFolder(path)
    folder.make()
    return folder


def held(path: Path) -> list[str]:
    """Every file below, by its path from there."""
    return sorted(str(found.relative_to(path)) for found in path.rglob("*") if found.is_file())


def put(folder: FileFolder, number: str, data: bytes) -> None:
    with folder.incoming(number, most_bytes=100, beyond=FileTooLarge("100")) as coming:
        coming.write(data)
        coming.keep()


def test_what_is_kept_can_be_read_and_is_nobody_elses_to_read(tmp_path: Path) -> None:
    folder = made(tmp_path / "files")
    put(folder, A, b"hello")
    with folder.open(A) as file:
        assert file.read() == b"hello"
    assert held(tmp_path / "files") == [f"a/{A}"]
    assert (tmp_path / "files").stat().st_mode & 0o777 == 0o700


def test_nothing_can_be_read_of_what_is_still_coming_and_nothing_is_left_of_what_is_not_kept(tmp_path: Path) -> None:
    folder = made(tmp_path)
    with folder.incoming(A, most_bytes=100, beyond=FileTooLarge("100")) as coming:
        coming.write(b"hello")
        assert coming.read_back().fileno() > 0
        assert held(tmp_path) == [f"incoming/{A}"]
        with pytest.raises(FileNotFound):
            folder.open(A)
    assert held(tmp_path) == []


def test_more_bytes_than_may_be_are_refused_while_they_come(tmp_path: Path) -> None:
    folder = made(tmp_path)
    with folder.incoming(A, most_bytes=10, beyond=FileTooLarge("10")) as coming:
        assert coming.write(b"x" * 10) == 10
        assert coming.size == 10
        with pytest.raises(FileTooLarge):
            coming.write(b"x")
    assert held(tmp_path) == []


def test_removing_takes_the_bytes_and_twice_does_no_harm(tmp_path: Path) -> None:
    folder = made(tmp_path)
    put(folder, A, b"hello")
    folder.remove(A)
    folder.remove(A)
    assert held(tmp_path) == []
    with pytest.raises(FileNotFound):
        folder.open(A)


def test_a_file_that_is_open_can_be_read_to_its_end_after_it_was_removed(tmp_path: Path) -> None:
    folder = made(tmp_path)
    put(folder, A, b"hello")
    with folder.open(A) as file:
        folder.remove(A)
        assert file.read() == b"hello"


def test_a_disk_that_is_away_is_not_taken_for_a_file_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(FolderUnavailable):
        FileFolder(tmp_path / "unmounted").open(A)
    with (
        pytest.raises(FolderUnavailable),
        FileFolder(tmp_path / "unmounted").incoming(A, most_bytes=1, beyond=FileTooLarge("1")),
    ):
        pytest.fail("nothing can come there")


def test_a_place_that_cannot_be_a_folder_is_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="RESPOOL_FILES_FOLDER: files cannot be kept there"):
        FileFolder(tmp_path / "file").make()


def test_only_what_has_rested_for_the_time_is_old(tmp_path: Path) -> None:
    folder = made(tmp_path)
    put(folder, A, b"old")
    put(folder, "b" * 32, b"new")
    past = time.time() - 1000
    os.utime(tmp_path / "a" / A, (past, past))
    assert [list(folder.older_than(900, shelf=shelf)) for shelf in SHELVES if shelf in "ab"] == [[A], []]


def test_what_never_became_a_file_is_dropped_when_it_is_old(tmp_path: Path) -> None:
    folder = made(tmp_path)
    for name in ("old", "new"):
        (tmp_path / "incoming" / name).touch()
    past = time.time() - 1000
    os.utime(tmp_path / "incoming" / "old", (past, past))
    assert folder.drop_stale(900) == 1
    assert held(tmp_path) == ["incoming/new"]
