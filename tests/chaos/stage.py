"""The whole service on one machine, with a fault proxy between any two of its parts."""

import random
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import redis
import requests

from jobs.connection import connect
from jobs.workers import LiveWorker, Workers
from tests.fakes.fault_proxy import FaultProxy, running_proxy
from tests.fakes.processes import Running, celery, start
from tests.fakes.receiver import Received, Reply, running_receiver
from tests.fakes.redis_server import KEEPING, RedisServer, free_port, running_redis
from tests.fakes.sandbox_server import running_sandbox
from tests.fakes.waiting import wait_until

KEY = {"Authorization": "Bearer known"}
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
"""What lets the clock of Redis jump; Debian's libfaketime."""

LIMITS = """
[default]
in_flight = 60
requests_per_minute = 6000
tokens_per_minute = 10_000_000
"""


@dataclass(slots=True)
class Mailbox:
    """What the receiver took, by the id of the event; one of eight deliveries is answered with a 500."""

    dice: random.Random
    taken: Counter[str] = field(default_factory=Counter)
    bodies: dict[str, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, received: Received) -> Reply:
        event = received.headers["webhook-id"]
        with self.lock:
            self.bodies[event].add(received.body)
            if self.dice.random() < 0.125:
                return Reply(status=500)
            self.taken[event] += 1
            return Reply()


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


@contextmanager
def running_stage(folder: Path, dice: random.Random, *, workers: int = 2, senders: int = 1) -> Iterator[Stage]:
    with ExitStack() as stack:
        mailbox = Mailbox(random.Random(dice.random()))
        receiver = stack.enter_context(running_receiver(mailbox.answer))
        sandbox = stack.enter_context(running_sandbox())
        server = stack.enter_context(running_redis(folder, *KEEPING, environ=_jumping_clock(folder)))
        api_port = free_port()
        behind = {
            **dict.fromkeys(("worker-redis", "sender-redis", "api-redis"), server.port),
            "worker-upstream": int(sandbox.rpartition(":")[2]),
            "sender-receiver": receiver.port,
            "caller-api": api_port,
        }
        between = {name: stack.enter_context(running_proxy(port)) for name, port in behind.items()}
        stage = Stage(
            folder=folder,
            redis=server,
            client=connect(server.url),
            sandbox=sandbox,
            mailbox=mailbox,
            between=between,
            settings={part: _settings(part, folder, between) for part in ("worker", "sender", "api")},
            api_port=api_port,
        )
        stack.callback(stage.client.close)
        stack.callback(stage.end)
        stage.api = stage.start_api()
        stage.workers += [stage.start_worker() for _ in range(workers)]
        stage.senders += [stage.start_sender() for _ in range(senders)]
        stage.wait_until_up()
        yield stage


def _settings(part: str, folder: Path, between: Mapping[str, FaultProxy]) -> dict[str, str]:
    limits = folder / "limits.toml"
    limits.write_text(LIMITS)
    given = {
        "redis_url": f"redis://127.0.0.1:{between[f'{part}-redis'].port}/0",
        "secret": "chaos",
        "api_key": "known",
        "limits_file": str(limits),
        "files_folder": str(folder / "files"),
        "upstream_url": f"http://127.0.0.1:{between['worker-upstream'].port}/v1",
        "upstream_api_key": "any",
        "slots": "60",
        "grace_seconds": "1",
        "webhook_allow": "127.0.0.0/8",
        "webhook_schedule": ",".join(["0"] + ["0.5"] * 49),
        "webhook_timeout_seconds": "2",
    }
    return {f"RESPOOL_{name.upper()}": value for name, value in given.items()} | {"WEB_CONCURRENCY": "2"}


def _jumping_clock(folder: Path) -> Mapping[str, str]:
    """What makes Redis read how far its clock is off from a file; nothing where there is no libfaketime."""
    if not FAKETIME.exists():
        return {}
    clock = folder / "clock"
    clock.write_text("+0\n")
    return {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def versions(stage: Stage) -> Sequence[str]:
    """Of what the figures depend on."""
    import platform
    from importlib.metadata import version

    server = stage.client.info("server")
    name = server.get("server_name", "redis")
    told = [f"{part} {version(part)}" for part in ("respool", "celery", "gevent", "redis", "gunicorn")]
    return [f"python {platform.python_version()}", f"{name} {server.get(f'{name}_version')}", *told]
