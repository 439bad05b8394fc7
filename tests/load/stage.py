"""The service as the Procfile runs it, every part a process of its own, with nothing between them."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import redis
import requests

from jobs.connection import connect
from jobs.open_files import allow_open_files
from jobs.webhooks.senders import Senders
from jobs.workers import Workers
from respool.processes import API_COMMAND, SANDBOX_COMMAND
from tests.fakes.processes import Running, celery, start
from tests.fakes.redis_server import KEEPING, RedisServer, free_port, running_redis
from tests.fakes.waiting import wait_until

KEY = "known"
API_PROCESSES = 2


@dataclass(slots=True, kw_only=True)
class Stage:
    """`client` reads the store; `parts` are the processes by the part of the service that they are."""

    port: int
    server: RedisServer
    client: redis.Redis
    parts: dict[str, list[psutil.Process]] = field(default_factory=dict)
    logs: list[Path] = field(default_factory=list)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def callers(self) -> int:
        """How many connections its API has with those who call it."""
        found = [one for process in self.parts["api"] for one in process.net_connections("tcp")]
        return sum(one.status == psutil.CONN_ESTABLISHED and one.laddr.port == self.port for one in found)

    @property
    def complaints(self) -> list[str]:
        """What the processes wrote of what nobody had foreseen."""
        return [f"{log.name}: {line}" for log in self.logs for line in log.read_text().splitlines() if _bad(line)]


def _bad(line: str) -> bool:
    return any(word in line for word in ("Traceback", "CRITICAL", "WORKER TIMEOUT", "Too many open files"))


@contextmanager
def running_stage(folder: Path, *, limits: str = "", **settings: str) -> Iterator[Stage]:
    """`limits` is the text of the limits file; `settings` are names in lower case without their prefix."""
    allow_open_files()
    (folder / "limits.toml").write_text(limits)
    with ExitStack() as stack:
        server = stack.enter_context(running_redis(folder, *KEEPING))
        stage = Stage(port=free_port(), server=server, client=connect(server.url))
        stack.callback(stage.client.close)
        sandbox = free_port()
        given = {
            "redis_url": server.url,
            "secret": "load",
            "api_key": KEY,
            "limits_file": str(folder / "limits.toml"),
            "files_folder": str(folder / "files"),
            "upstream_url": f"http://127.0.0.1:{sandbox}/v1",
            "upstream_api_key": "any",
            "webhook_allow": "127.0.0.0/8",
            **settings,
        }
        environ = {f"RESPOOL_{name.upper()}": value for name, value in given.items()}
        environ["WEB_CONCURRENCY"] = str(API_PROCESSES)
        commands = {
            "sandbox": [*SANDBOX_COMMAND, "--bind", f"127.0.0.1:{sandbox}"],
            "api": [*API_COMMAND, "--bind", f"127.0.0.1:{stage.port}"],
            "worker": celery("worker.main", "worker"),
            "sender": celery("worker.webhooks.main", "sender"),
        }
        running = {part: start(command, folder, part, environ) for part, command in commands.items()}
        for each in running.values():
            stack.callback(_end, each)
        wait_until(lambda: _listens(sandbox) and _listens(stage.port), seconds=120)
        wait_until(lambda: bool(Workers(stage.client).live() and Senders(stage.client).live()), seconds=60)
        assert server.process is not None
        stage.logs = [each.log for each in running.values()]
        stage.parts = {part: _family(each.process.pid) for part, each in running.items()}
        stage.parts["redis"] = [psutil.Process(server.process.pid)]
        yield stage


def _end(running: Running) -> None:
    family = _family(running.process.pid)
    running.process.terminate()
    with suppress(subprocess.TimeoutExpired):
        running.process.wait(timeout=2)
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    running.process.wait(timeout=5)


def _listens(port: int) -> bool:
    with suppress(requests.RequestException):
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5).status_code < 500
    return False


def _family(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]
