"""The folder in which `up` keeps its data, and by which other commands find the service."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from respool.errors import CannotRun
from respool.private_file import write_private

DEFAULT_FOLDER = Path(".respool")
CLAIM_SECONDS = 0.5
LEFTOVER_SECONDS = 20.0
LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A running service as other commands need to know it.

    `secret` is RESPOOL_SECRET and `limits_file` the whole path that RESPOOL_LIMITS_FILE means; empty if unset.
    """

    url: str
    redis_url: str
    api_key: str
    secret: str
    pid: int
    limits_file: str = ""


class DataFolder:
    """Two locks: `lock` is held by a living `up`, `processes.lock` by every process that one has started."""

    def __init__(self, folder: Path) -> None:
        self.path = folder
        self.key_file = folder / "api-key"
        self.webhook_secret_file = folder / "webhook-secret"
        self.files = folder / "files"
        self._service_file = folder / "service.json"

    @contextmanager
    def claimed(self) -> Iterator[int]:
        """Makes the folder ours; gives the descriptor of `processes.lock`, to be inherited by all processes.

        Raises CannotRun if another `up` lives on it, or if processes of an earlier one do not go.
        """
        self._make()
        with _opened(self.path / "lock") as lock, _opened(self.path / "processes.lock") as processes:
            # A command that looks whether `up` lives holds the lock for a moment too.
            if not _locked(lock, seconds=CLAIM_SECONDS):
                raise CannotRun(f"`respool up` runs already on {self.path} (process {_owner(lock)})")
            os.truncate(lock, 0)
            os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
            if not _locked(processes, seconds=LEFTOVER_SECONDS):
                raise CannotRun(
                    f"processes of an earlier `respool up` on {self.path} are still running; end them first"
                )
            try:
                yield processes
            finally:
                with suppress(FileNotFoundError):
                    self._service_file.unlink()

    def _make(self) -> None:
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise CannotRun(f"cannot keep data in {self.path}: {error.strerror}") from error

    def api_key(self) -> str:
        """The development key of this folder, made when it is first asked for."""
        return _kept(self.key_file, lambda: f"rsp_{secrets.token_urlsafe(32)}")

    def webhook_secret(self) -> str:
        """What signs the webhooks of the development project, made when it is first asked for."""
        from jobs.webhooks.secrets import new_secret  # brings all of the store with it, which most commands do not need

        return _kept(self.webhook_secret_file, new_secret)

    def publish(self, service: Service) -> None:
        write_private(self._service_file, json.dumps(asdict(service)))

    def service(self) -> Service | None:
        """The service of the `up` that lives on this folder now."""
        try:
            text = self._service_file.read_text(encoding="utf-8")
            with _opened(self.path / "lock") as lock:
                if _locked(lock, seconds=0):
                    return None
        except OSError:
            return None
        return Service(**json.loads(text))


def _kept(file: Path, make: Callable[[], str]) -> str:
    """What stands in the file; what `make` gives, from the first time on."""
    with suppress(FileNotFoundError):
        return file.read_text(encoding="utf-8").strip()
    write_private(file, f"{make()}\n")
    return _kept(file, make)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _locked(descriptor: int, *, seconds: float) -> bool:
    """Whether the lock could be taken within the time."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(LOOK_SECONDS)
        else:
            return True


def _owner(descriptor: int) -> str:
    return os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
