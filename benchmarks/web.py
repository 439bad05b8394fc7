"""Web servers that are measured: gunicorn with gevent over an application."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import requests
from flask import Flask

from benchmarks.child import Child, running
from benchmarks.peer import SCRIPTS, Peer
from benchmarks.place import Place
from benchmarks.service import Service, procfile, python_path
from tests.fakes.redis_server import free_port
from tests.fakes.waiting import wait_until

PROCESSES = 2
GUNICORN = ("--worker-class", "gevent", "--workers", str(PROCESSES), "--keep-alive", "15")


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """{port} in the words of `command` becomes the port."""

    command: Sequence[str]
    environ: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def served(serving: Serving, *, folder: Path) -> Iterator[tuple[Serving, Child]]:
    """With its port, once it answers."""
    found = replace(serving, port=free_port())
    command = [word.format(port=found.port) for word in found.command]
    environ = {**found.environ, "PORT": str(found.port), "WEB_CONCURRENCY": str(PROCESSES)}
    with running(command, folder=folder, name="web", environ=environ, cwd=found.cwd) as child:
        wait_until(lambda: child.check() is None and _answers(found.url), seconds=120)
        yield found, child


def respool_web(place: Place) -> Serving:
    return Serving(command=procfile("api"), environ=Service(place=place).environ)


def peer_web(peer: Peer, place: Place) -> Serving:
    """A view of Flask that queues by the peer's own client."""
    command = [str(peer.bin / "gunicorn"), *GUNICORN, "--bind", "127.0.0.1:{port}", "celery_web:app"]
    return Serving(command=command, environ=peer.environ(place), cwd=SCRIPTS)


def hello_web(_: Place) -> Serving:
    command = [sys.executable, "-m", "gunicorn", *GUNICORN, "--bind", "127.0.0.1:{port}", "benchmarks.web:hello()"]
    return Serving(command=command, environ={"PYTHONPATH": python_path()})


def hello() -> Flask:
    """An application that does nothing."""
    app = Flask("hello")

    @app.route("/hello", methods=["GET"])
    def greet() -> dict[str, str]:
        return {"greeting": "hello"}

    return app


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz", timeout=5).status_code < 500
    except requests.RequestException:
        return False
