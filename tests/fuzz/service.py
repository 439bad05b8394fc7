"""A whole service to be fuzzed: its processes on loopback in front of a sandbox, or of any upstream."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import redis

from jobs.connection import connect
from tests.fakes.processes import Running, running_api, running_sender, running_worker
from tests.fakes.redis_server import RedisServer, running_redis
from tests.fakes.sandbox_server import running_sandbox

KEY = "fuzz-key"
SECRET = "a secret of these tests alone"
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """`base` is the API's URL without a path; `client` reads the store."""

    base: str
    server: RedisServer
    client: redis.Redis
    worker: Running
    sender: Running

    @property
    def lives(self) -> bool:
        """Whether the worker and the sender are the processes that they were."""
        return self.worker.process.poll() is None and self.sender.process.poll() is None

    def mib(self) -> dict[str, int]:
        """What each of the processes has in memory, in MiB; the API's is the largest of its processes."""
        api = [child.memory_info().rss for child in _api_processes()]
        pids = {"worker": self.worker.process.pid, "sender": self.sender.process.pid}
        sizes = {name: psutil.Process(pid).memory_info().rss for name, pid in pids.items()}
        return {name: size // MIB for name, size in (sizes | {"api": max(api)}).items()}


def _api_processes() -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process().children(recursive=True)
        if any("gunicorn" in word for word in child.cmdline())
    ]


@contextmanager
def running_service(folder: Path, *, upstream: str = "", **settings: str) -> Iterator[Service]:
    """`upstream` is a base URL, else a sandbox's; `settings` are names in lower case without their prefix."""
    with ExitStack() as stack:
        server = stack.enter_context(running_redis(folder))
        upstream = upstream or stack.enter_context(running_sandbox())
        given = {
            "redis_url": server.url,
            "api_key": KEY,
            "secret": SECRET,
            "upstream_url": f"{upstream}/v1",
            "upstream_api_key": "any",
            "files_folder": str(folder / "files"),
            "webhook_allow": "127.0.0.0/8",
            **settings,
        }
        environ = {f"RESPOOL_{name.upper()}": value for name, value in given.items()} | {"WEB_CONCURRENCY": "1"}
        client = connect(server.url)
        stack.callback(client.close)
        worker = stack.enter_context(running_worker(folder, environ))
        sender = stack.enter_context(running_sender(folder, environ))
        base = stack.enter_context(running_api(folder, environ))
        yield Service(base=base, server=server, client=client, worker=worker, sender=sender)
