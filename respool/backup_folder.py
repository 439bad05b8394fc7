"""A backup on disk: `redis.rdb`, `files/SHELF/NUMBER`, `up/` for what else `up` keeps; last of all `backup.json`."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jobs.file_folder import SHELVES
from respool.errors import CannotRun, Refused
from respool.manifest import Manifest, read_manifest
from respool.private_file import open_private, write_private

UP_FILES = ("api-key", "webhook-secret")
CHUNK_BYTES = 1024 * 1024


class BackupFolder:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.redis = path / "redis.rdb"
        self.files = path / "files"
        self.up = path / "up"
        self._manifest = path / "backup.json"

    @contextmanager
    def begun(self) -> Iterator[None]:
        """Made, and emptied again where the backup breaks off.

        Raises CannotRun if there is something already, it cannot be made, or the disk refuses what is written.
        """
        self._make()
        try:
            yield
        except BaseException as error:
            self._empty()
            if isinstance(error, OSError):
                raise CannotRun(f"the backup broke off: {error}") from error
            raise

    def _make(self) -> None:
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if any(self.path.iterdir()):
                raise CannotRun(f"{self.path} is not empty")
        except OSError as error:
            raise CannotRun(f"cannot write to {self.path}: {error.strerror}") from error

    def _empty(self) -> None:
        self.redis.unlink(missing_ok=True)
        for folder in (self.files, self.up):
            shutil.rmtree(folder, ignore_errors=True)

    def files_kept(self) -> tuple[int, int]:
        """How many they are, and their bytes."""
        sizes = [path.stat().st_size for path in files_in(self.files)]
        return len(sizes), sum(sizes)

    def seal(self, manifest: Manifest) -> None:
        """Says that the backup is whole."""
        write_private(self._manifest, manifest.text())

    def manifest(self) -> Manifest:
        """Raises Refused if this is no whole backup, or a part of it is damaged or missing."""
        try:
            manifest = read_manifest(self._manifest.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise Refused(f"{self.path} is no whole backup: it has no readable {self._manifest.name}") from error
        if not self.redis.is_file() or _sha256(self.redis) != manifest.redis_sha256:
            raise Refused(f"{self.redis} is not what was saved")
        if (found := self.files_kept()) != (manifest.files, manifest.files_bytes):
            saved = f"{manifest.files} files of {manifest.files_bytes:,} bytes were saved"
            raise Refused(f"{saved}; {self.files} has {found[0]} of {found[1]:,}")
        return manifest


def copy_files(source: Path, target: Path) -> None:
    """Copies all files that `target` lacks: the bytes of a file never change. Unfinished uploads stay behind."""
    target.mkdir(mode=0o700, exist_ok=True)
    for path in files_in(source):
        copy = target / path.parent.name / path.name
        if not copy.exists():
            copy.parent.mkdir(mode=0o700, exist_ok=True)
            with suppress(FileNotFoundError):  # deleted meanwhile
                copy_private(path, copy)


def files_in(folder: Path) -> Iterator[Path]:
    for shelf in SHELVES:
        with suppress(FileNotFoundError), os.scandir(folder / shelf) as entries:
            yield from (Path(entry.path) for entry in entries if not entry.name.startswith("."))


def copy_private(source: Path, target: Path) -> None:
    """The whole file or nothing."""
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with (
            source.open("rb") as read,
            open_private(draft) as written,
        ):
            shutil.copyfileobj(read, written, CHUNK_BYTES)
            written.flush()
            os.fsync(written.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
