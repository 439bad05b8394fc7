from pathlib import Path

import pytest

from respool.private_file import open_private, write_private


def test_nobody_but_the_owner_may_read_it(tmp_path: Path) -> None:
    write_private(tmp_path / "secret", "x")
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_opened_is_new_and_its_owners_alone(tmp_path: Path) -> None:
    with open_private(tmp_path / "answers") as file:
        file.write(b"x")
    assert (tmp_path / "answers").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        open_private(tmp_path / "answers")


def test_an_open_file_that_was_there_before_is_replaced_by_a_private_one(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("old")
    file.chmod(0o644)
    write_private(file, "new")
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("new", 0o600)


def test_nothing_is_left_of_a_write_that_failed(tmp_path: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        write_private(tmp_path / "secret", "\ud800")
    assert list(tmp_path.iterdir()) == []
