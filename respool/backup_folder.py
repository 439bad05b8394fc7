"""A backup on disk: `redis.rdb`, `files/SHELF/NUMBER`, `up/` for what else `up` keeps; last of all `backup.json`."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from jobs.file_folder import SHELVES
from respool.errors import CannotRun, Refused
from respool.private_file import write_private

FORMAT = 1
UP_FILES = ("api-key", "webhook-secret")
CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup says of itself; `taken_at` in seconds, when Redis was copied.

    `secret` tells whether a RESPOOL_SECRET is the one of then, as `SALT:SCRYPT`, hexadecimal; empty: none was set, and
    what takes its place lies in Redis.
    """

    release: str
    taken_at: float
    server: str
    redis_bytes: int
    redis_sha256: str
    files: int
    files_bytes: int
    secret: str = ""
    format: int = FORMAT

    def told(self) -> dict[str, Any]:
        """For whoever runs the command: whether there was a secret, and nothing by which one could be tried."""
        return asdict(self) | {"secret": bool(self.secret)}


class BackupFolder:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.redis = path / "redis.rdb"
        self.files = path / "files"
        self.up = path / "up"
        self._manifest = path / "backup.json"

    def make(self) -> None:
        """Raises CannotRun if there is something already, or it cannot be made."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if any(self.path.iterdir()):
                raise CannotRun(f"{self.path} is not empty")
        except OSError as error:
            raise CannotRun(f"cannot write to {self.path}: {error.strerror}") from error

    def seal(self, manifest: Manifest) -> None:
        """Says that the backup is whole."""
        write_private(self._manifest, json.dumps(asdict(manifest), indent=2) + "\n")

    def manifest(self) -> Manifest:
        """Raises Refused if this is no whole backup, or Redis's part of it is damaged."""
        try:
            found = json.loads(self._manifest.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise Refused(f"{self.path} is no whole backup: it has no readable {self._manifest.name}") from error
        if found.get("format") != FORMAT:
            raise Refused(f"{self.path} is of a format that this release does not know")
        manifest = Manifest(**found)
        if not self.redis.is_file() or _sha256(self.redis) != manifest.redis_sha256:
            raise Refused(f"{self.redis} is not what was saved")
        return manifest


def check_of(secret: str, salt: str = "") -> str:
    """What tells the secret again, and does not tell it; slow, since a backup may come into strange hands."""
    if not secret:
        return ""
    salt = salt or secrets.token_hex(16)
    return f"{salt}:{hashlib.scrypt(secret.encode(), salt=bytes.fromhex(salt), n=2**14, r=8, p=1).hex()}"


def is_secret(manifest: Manifest, secret: str) -> bool:
    return hmac.compare_digest(check_of(secret, manifest.secret.partition(":")[0]), manifest.secret)


def copy_files(source: Path, target: Path) -> None:
    """Copies all files that `target` lacks: the bytes of a file never change. Unfinished uploads stay behind."""
    for path in files_in(source):
        copy = target / path.parent.name / path.name
        if not copy.exists():
            copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
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


def open_private(path: Path) -> BinaryIO:
    """A new file that its owner alone can read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
