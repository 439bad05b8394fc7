"""The whole service on one machine, with a fault proxy between any two of its parts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import redis
import requests

from jobs.workers import LiveWorker, Workers
from tests.chaos.mailbox import Mailbox
from tests.fakes.fault_proxy import FaultProxy
from tests.fakes.processes import Running, celery, start
from tests.fakes.redis_server import RedisServer
from tests.fakes.waiting import wait_until

KEY = {"Authorization": "Bearer known"}


@dataclass(slots=True, kw_only=True)
class Stage:
    """`between` has the proxies by the two parts that they lie between, the caller's first; `client` reaches Redis
    without one. `killed` is when which worker process was killed, by Redis' clock in seconds."""

    folder: Path
    redis: RedisServer
    client: redis.Redis
    sandbox: str
    mailbox: Mailbox
    between: Mapping[str, FaultProxy]
    settings: Mapping[str, Mapping[str, str]]
    api_port: int
    workers: list[Running] = field(default_factory=list)
    senders: list[Running] = field(default_factory=list)
    api: Running | None = None
    started: int = 0
    killed: dict[int, float] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """Where callers find the API: behind a proxy."""
        return f"http://127.0.0.1:{self.between['caller-api'].port}"

    @property
    def receiver(self) -> str:
        return f"http://127.0.0.1:{self.between['sender-receiver'].port}"

    @property
    def clock_file(self) -> Path:
        return self.folder / "clock"

    def now(self) -> float:
        """Redis' time in seconds."""
        seconds, micros = self.client.time()
        return int(seconds) + int(micros) / 1_000_000

    def start_worker(self) -> Running:
        """Every second one runs its calls on threads. It need not live yet when this returns."""
        self.started += 1
        pool = "gevent" if self.started % 2 else "threads"
        name = f"{pool}{self.started}"
        return start(celery("worker.main", name, pool=pool), self.folder, name, self.settings["worker"])

    def start_sender(self) -> Running:
        self.started += 1
        name = f"sender{self.started}"
        return start(celery("worker.webhooks.main", name), self.folder, name, self.settings["sender"])

    def start_api(self) -> Running:
        bind = f"127.0.0.1:{self.api_port}"
        command = ["gunicorn", "--config", "python:api.gunicorn_config", "--bind", bind, "api.main:app"]
        return start(command, self.folder, "api", self.settings["api"])

    def live(self) -> list[LiveWorker]:
        """The workers that live and are ours to kill."""
        ours = {worker.process.pid for worker in self.workers}
        return [worker for worker in Workers(self.client).live() if worker.pid in ours]

    def wait_until_up(self) -> None:
        wait_until(lambda: len(self.live()) == len(self.workers) and self.answers(), seconds=120)

    def answers(self) -> bool:
        """Whether the API does."""
        try:
            return requests.get(f"http://127.0.0.1:{self.api_port}/healthz", timeout=1).ok
        except requests.RequestException:
            return False

    def end(self) -> None:
        """Ends what it runs."""
        for running in (*self.workers, *self.senders):
            running.kill()
        if self.api is not None and self.api.process.poll() is None:
            self.api.stop()


def kill_all(running: Running) -> None:
    """kill -9 of a process and its children."""
    parent = psutil.Process(running.process.pid)
    parent.suspend()  # it would have more of them
    family = parent.children(recursive=True)
    running.kill()
    for child in family:
        child.kill()
    psutil.wait_procs(family, timeout=5)
