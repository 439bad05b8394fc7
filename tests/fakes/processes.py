"""The service's own processes, as the Procfile runs them, for as long as a test needs them."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import requests

from jobs.connection import connect
from jobs.webhooks.senders import Senders
from jobs.workers import Workers
from tests.fakes.redis_server import free_port
from tests.fakes.waiting import wait_until

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("RESPOOL_")}

ANY_REDIS = {"RESPOOL_UNSAFE_REDIS": "allow"}
"""Most tests have a Redis that writes nothing to a disk."""


@dataclass(slots=True)
class Running:
    """A process and the file its output goes to."""

    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """kill -9, as a crash does."""
        self.process.kill()
        self.process.wait()

    def stop(self, *, seconds: float = 30) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=seconds)


def start(command: list[str], folder: Path, name: str, settings: Mapping[str, str]) -> Running:
    log = folder / f"{name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], env=CLEAN | ANY_REDIS | settings, stdout=output, stderr=output, cwd=folder
        )
    return Running(process=process, log=log)


def start_worker(folder: Path, settings: Mapping[str, str], *, name: str = "worker") -> Running:
    """One Celery worker process; `settings` holds RESPOOL_REDIS_URL and what else it needs. Returns once it lives."""
    workers = Workers(connect(settings["RESPOOL_REDIS_URL"]))
    return _start_celery("worker.main", folder, settings, lambda: {w.pid for w in workers.live()}, name=name)


def start_sender(folder: Path, settings: Mapping[str, str], *, name: str = "sender") -> Running:
    """The same for a process that sends webhooks."""
    senders = Senders(connect(settings["RESPOOL_REDIS_URL"]))
    return _start_celery("worker.webhooks.main", folder, settings, lambda: {s.pid for s in senders.live()}, name=name)


def celery(module: str, name: str, *, pool: Literal["gevent", "threads"] = "gevent") -> list[str]:
    """The words of a command that runs a process of that Celery application."""
    command = ["celery", "-A", module, "worker", "--pool", pool, "--concurrency", "16"]
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO"]
    return [*command, "--hostname", f"{name}@test"]


def _start_celery(
    module: str, folder: Path, settings: Mapping[str, str], live: Callable[[], set[int]], *, name: str
) -> Running:
    running = start(celery(module, name), folder, name, settings)
    try:
        wait_until(lambda: running.process.poll() is not None or running.process.pid in live(), seconds=60)
        assert running.process.poll() is None, running.log.read_text()
    except BaseException:
        running.kill()
        raise
    return running


@contextmanager
def running_worker(folder: Path, settings: Mapping[str, str], *, name: str = "worker") -> Iterator[Running]:
    running = start_worker(folder, settings, name=name)
    try:
        yield running
    finally:
        running.kill()


@contextmanager
def running_sender(folder: Path, settings: Mapping[str, str], *, name: str = "sender") -> Iterator[Running]:
    running = start_sender(folder, settings, name=name)
    try:
        yield running
    finally:
        running.kill()


@contextmanager
def running_api(folder: Path, settings: Mapping[str, str], *, app: str = "api.main:app") -> Iterator[str]:
    """The API under gunicorn; its base URL without a path."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    command = ["gunicorn", "--config", "python:api.gunicorn_config", "--bind", f"127.0.0.1:{port}", app]
    running = start(command, folder, "api", settings)
    try:
        wait_until(lambda: running.process.poll() is not None or _answers(f"{base}/healthz"))
        assert running.process.poll() is None, running.log.read_text()
        yield base
    finally:
        running.stop()


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=1).ok
    except requests.RequestException:
        return False
