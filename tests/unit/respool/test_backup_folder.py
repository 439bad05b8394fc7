from pathlib import Path

import pytest

from respool.backup_folder import Manifest, check_of, copy_files, files_in, is_secret


def manifest(secret: str) -> Manifest:
    return Manifest(
        release="1",
        taken_at=0.0,
        server="valkey 9",
        redis_bytes=0,
        redis_sha256="",
        files=0,
        files_bytes=0,
        secret=secret,
    )


@pytest.mark.parametrize(
    ("then", "now", "same"),
    [("one", "one", True), ("one", "two", False), ("one", "", False), ("", "", True), ("", "one", False)],
)
def test_a_manifest_tells_whether_a_secret_is_the_one_of_then(then: str, now: str, same: bool) -> None:
    assert is_secret(manifest(check_of(then)), now) is same


def test_a_check_does_not_hold_the_secret_and_is_another_each_time() -> None:
    assert "one" not in check_of("one")
    assert check_of("one") != check_of("one")


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
    assert all(path.stat().st_mode & 0o077 == 0 for path in target.rglob("*"))
