"""Ours, as the Procfile runs it, with everything on that it promises."""

from __future__ import annotations

import base64
import itertools
import json
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis
import requests

from benchmarks.child import Child, running
from benchmarks.peers.work import body_of
from benchmarks.place import Place
from jobs import keys
from jobs.connection import connect
from jobs.lane_states import LaneStates
from jobs.lanes import lane_of
from jobs.limits import Limits
from jobs.workers import Workers as LiveWorkers
from respool.processes import installed
from tests.fakes.redis_server import free_port
from tests.fakes.waiting import wait_until

CHECKOUT = Path(__file__).parents[1]
API_KEY = "rsp_benchmarks"
HEADERS = {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"}
WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"a secret of these benchmarks alone").decode()
READY_SECONDS = 120.0
LIMITS = """\
[default]
requests_per_minute = 1_000_000_000
tokens_per_minute = 1_000_000_000_000
in_flight = 1_000_000

[prices."doubao-seed-1-6-251015"]
input = 0.8
output = 8.0
"""
"""All limits are there to be looked at, and none is reached."""

_names = itertools.count(1)


def procfile(name: str) -> tuple[str, ...]:
    """The command of that process."""
    for line in (CHECKOUT / "Procfile").read_text().splitlines():
        process, _, command = line.partition(":")
        if process == name:
            return installed(shlex.split(command))
    raise KeyError(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """`settings` are names in lower case without their prefix."""

    place: Place
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def environ(self) -> dict[str, str]:
        limits = self.place.folder / "limits.toml"
        limits.write_text(LIMITS)
        settings = {
            "redis_url": self.place.redis_url,
            "limits_file": str(limits),
            "upstream_url": f"{self.place.upstream.url}/v1",
            "upstream_api_key": "any-key-will-do",
            "api_key": API_KEY,
            "secret": "benchmarks",
            "webhook_allow": "127.0.0.0/8",
            "webhook_secret": WEBHOOK_SECRET,
            "max_queued_bytes": str(2**40),
            **self.settings,
        }
        return {"PYTHONPATH": str(CHECKOUT), **{f"RESPOOL_{name.upper()}": value for name, value in settings.items()}}

    @contextmanager
    def api(self, *, processes: int = 2) -> Iterator[tuple[str, Child]]:
        """Its base URL, and gunicorn's own process."""
        port = free_port()
        environ = {**self.environ, "PORT": str(port), "WEB_CONCURRENCY": str(processes)}
        with running(procfile("api"), folder=self.place.folder, name="api", environ=environ) as child:
            url = f"http://127.0.0.1:{port}"
            wait_until(lambda: child.check() is None and _answers(f"{url}/readyz"), seconds=READY_SECONDS)
            yield url, child

    @contextmanager
    def workers(self, count: int = 1) -> Iterator[Sequence[Child]]:
        """Processes that run jobs, once all of them live."""
        with ExitStack() as stack:
            yield [stack.enter_context(self._worker()) for _ in range(count)]

    @contextmanager
    def _worker(self) -> Iterator[Child]:
        name = f"worker{next(_names)}"
        command = [*procfile("worker"), "--hostname", f"{name}@bench"]
        live = LiveWorkers(connect(self.place.redis_url, answer_seconds=30))
        with running(command, folder=self.place.folder, name=name, environ=self.environ) as child:
            wait_until(
                lambda: child.check() is None and child.pid in {worker.pid for worker in live.live()},
                seconds=READY_SECONDS,
            )
            yield child


def job_body(mark: str, *, hook: str | None, stream: bool = False) -> bytes:
    """A job as a caller sends it; its end is owed to `hook`."""
    job: dict[str, Any] = {"request": json.loads(body_of(mark)) | {"stream": stream}}
    if hook is not None:
        job["webhook"] = {"url": hook}
    return json.dumps(job).encode()


def completed(client: redis.Redis) -> int:
    return int(client.zcard(keys.index("default", "completed")))


def queued(client: redis.Redis) -> int:
    return int(client.zcard(keys.index("default", "queued")))


@contextmanager
def paused(client: redis.Redis, model: str) -> Iterator[None]:
    """No job of the model is released for as long as the block lasts."""
    lanes, lane = LaneStates(client, Limits()), lane_of(model)
    lanes.pause(lane, seconds=None, reason="measuring", by="benchmark")
    yield
    lanes.resume(lane, reason="measured", by="benchmark")


def python_path() -> str:
    return os.pathsep.join(filter(None, (str(CHECKOUT), os.environ.get("PYTHONPATH"))))


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False
