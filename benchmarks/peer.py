"""The queues that one would pick instead, each run by scripts of benchmarks/peers in an environment of its own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.child import Child, output_of, running
from benchmarks.contestant import Workers
from benchmarks.peers.work import FIRST_PACED, mark_of
from benchmarks.place import Place

ENVIRONMENTS = Path(__file__).parents[1] / ".peers"
"""What `make peers` makes."""

SCRIPTS = Path(__file__).parent / "peers"
RESULTS_PAGE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """`sender` queues jobs and `worker` works them off; {width} and {processes} stand in its words for numbers.

    `width` is how many calls a worker process makes at a time unless it is told, `results` the keys that hold answers.
    """

    name: str
    environment: str
    sender: Sequence[str]
    worker: Sequence[str]
    results: str
    width: int = 100
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def bin(self) -> Path:
        return ENVIRONMENTS / self.environment / "bin"

    def missing(self) -> str | None:
        return None if (self.bin / "python").exists() else f"{self.bin} is not there: `make peers` makes it"

    def preload(self, place: Place, count: int) -> float:
        return float(self._sent(place, count)["seconds"])

    def send_each(self, place: Place, count: int, *, pause_seconds: float) -> list[tuple[str, float]]:
        times = self._sent(place, count, pause_seconds)["sent"]
        return [(mark_of(number), at) for number, at in enumerate(times, start=FIRST_PACED)]

    def _sent(self, place: Place, count: int, *words: float) -> dict[str, Any]:
        command = [*self._command(self.sender), str(count), *map(str, words)]
        found: dict[str, Any] = json.loads(output_of(command, environ=self.environ(place), cwd=SCRIPTS))
        return found

    @contextmanager
    def working(self, place: Place, workers: Workers) -> Iterator[Sequence[Child]]:
        width = workers.width or self.width
        words = [word.format(width=width, processes=workers.processes) for word in self.worker]
        environ = {**self.environ(place), "BENCH_WIDTH": str(width)}
        with running(
            self._command(words), folder=place.folder, name=self.environment, environ=environ, cwd=SCRIPTS
        ) as worker:
            yield [worker]

    def answered(self, place: Place) -> int:
        return sum(1 for _ in place.client.scan_iter(match=self.results, count=RESULTS_PAGE))

    def environ(self, place: Place) -> dict[str, str]:
        return {
            "BENCH_REDIS_URL": place.redis_url,
            "BENCH_ENDPOINT": place.upstream.url,
            "PYTHONPATH": str(SCRIPTS),
            **self.variables,
        }

    def _command(self, words: Sequence[str]) -> list[str]:
        program = self.bin / words[0]
        return [str(program) if program.exists() else words[0], *words[1:]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BullMQ(Peer):
    """Its completed jobs hold their answers."""

    def missing(self) -> str | None:
        if shutil.which("node") is None:
            return "there is no `node`"
        return None if (ENVIRONMENTS / self.environment / "node_modules").exists() else "npm could not install it"

    def answered(self, place: Place) -> int:
        return int(place.client.zcard("bull:jobs:completed"))


CELERY_OPTIONS = ("worker", "--pool", "gevent", "--concurrency", "{width}", "--loglevel", "WARNING")
CELERY = Peer(
    name="Celery gevent, defaults",
    environment="celery",
    sender=("python", "send.py", "celery_defaults"),
    worker=("celery", "-A", "celery_defaults", *CELERY_OPTIONS),
    results="celery-task-meta-*",
    variables={"BENCH_PEER": "celery_defaults"},
)
CELERY_TUNED = Peer(
    name="Celery gevent, tuned",
    environment="celery",
    sender=("python", "send.py", "celery_tuned"),
    worker=(
        *("celery", "-A", "celery_tuned", *CELERY_OPTIONS),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    ),
    results="celery-task-meta-*",
    variables={"BENCH_PEER": "celery_tuned"},
)
DRAMATIQ = Peer(
    name="Dramatiq gevent",
    environment="dramatiq",
    sender=("python", "send.py", "dramatiq_app"),
    worker=("dramatiq-gevent", "--processes", "{processes}", "--threads", "{width}", "dramatiq_app"),
    results="results:*",
)
TASKIQ = Peer(
    name="taskiq, streams",
    environment="taskiq",
    sender=("python", "send.py", "taskiq_app"),
    worker=(
        *("taskiq", "worker", "taskiq_app:broker", "--workers", "{processes}", "--max-async-tasks", "{width}"),
        *("--log-level", "WARNING"),
    ),
    results="results:*",
)
BULLMQ = BullMQ(
    name="BullMQ (Node)",
    environment="bullmq",
    sender=("node", str(ENVIRONMENTS / "bullmq" / "send.mjs")),
    worker=("node", str(ENVIRONMENTS / "bullmq" / "worker.mjs")),
    results="",
)
PEERS = (CELERY, CELERY_TUNED, TASKIQ, DRAMATIQ, BULLMQ)
