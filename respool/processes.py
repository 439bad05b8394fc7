"""The processes that make up the service. The Procfile and the image run the same commands."""

from __future__ import annotations

import shutil
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

API_COMMAND = ("gunicorn", "--config", "python:api.gunicorn_config", "api.main:app")
CELERY_OPTIONS = (
    *("worker", "--pool", "gevent", "--concurrency", "64"),
    *("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO"),
)
WORKER_COMMAND = ("celery", "-A", "worker.main", *CELERY_OPTIONS)
SENDER_COMMAND = ("celery", "-A", "worker.webhooks.main", *CELERY_OPTIONS)
SANDBOX_COMMAND = (
    *("gunicorn", "--worker-class", "gevent", "--workers", "1", "--worker-connections", "5000"),
    *("--timeout", "120", "--graceful-timeout", "1", "--no-control-socket", "sandbox.main:app"),
)

STOP_SECONDS = 20.0
"""In which `up` has stopped, whatever happens: the `stop_seconds` of all ranks add up to less."""

WORKER_GRACE_SECONDS = 5.0
"""How long `up` lets running calls and deliveries go on when it stops; RESPOOL_GRACE_SECONDS can make it shorter."""

CELERY_SECONDS = 6.5
"""What Celery takes to leave its own loops, before and after the grace."""

API_RANK, WORKER_RANK, SANDBOX_RANK, SERVER_RANK = range(4)
"""A sender stops beside the workers: one after the other, Celery would take more time than there is. What is owed then
waits in Redis.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """What to run. `rank` is its place in the order of stopping; `stop_seconds` passes between SIGTERM and SIGKILL.

    `environ` is added to what all processes get; `descriptors` stay open under their numbers.
    """

    name: str
    command: tuple[str, ...]
    rank: int
    stop_seconds: float
    environ: Mapping[str, str] = field(default_factory=dict)
    descriptors: tuple[int, ...] = ()


def api(*, listener: int) -> Process:
    """The API on the listening socket whose descriptor is `listener`."""
    return Process(
        name="api",
        command=installed(API_COMMAND),
        rank=API_RANK,
        stop_seconds=3.5,
        environ=_bound_to(listener, "--graceful-timeout", "1"),
        descriptors=(listener,),
    )


def workers(count: int) -> list[Process]:
    return [_celery(f"worker.{number}", WORKER_COMMAND) for number in range(1, count + 1)]


def sender() -> Process:
    """The one that makes the deliveries of webhooks."""
    return _celery("webhooks.1", SENDER_COMMAND)


def _celery(name: str, command: Sequence[str]) -> Process:
    return Process(
        name=name,
        command=(*installed(command), "--hostname", f"{name}@%h"),
        rank=WORKER_RANK,
        stop_seconds=WORKER_GRACE_SECONDS + CELERY_SECONDS,
    )


def sandbox(*, listener: int) -> Process:
    """The stand-in for an upstream, on the listening socket whose descriptor is `listener`."""
    return Process(
        name="sandbox",
        command=installed(SANDBOX_COMMAND),
        rank=SANDBOX_RANK,
        stop_seconds=1.0,
        environ=_bound_to(listener),
        descriptors=(listener,),
    )


def server(command: Sequence[str]) -> Process:
    """The Redis-protocol server, last to stop since all others write to it."""
    return Process(name="redis", command=tuple(command), rank=SERVER_RANK, stop_seconds=2.5)


def _bound_to(listener: int, *options: str) -> dict[str, str]:
    return {"GUNICORN_CMD_ARGS": " ".join(["--bind", f"fd://{listener}", *options])}


def installed(command: Sequence[str]) -> tuple[str, ...]:
    """The command with the program of this very installation, whatever the PATH holds."""
    program, *arguments = command
    script = shutil.which(program, path=sysconfig.get_path("scripts"))
    return (script, *arguments) if script else (sys.executable, "-m", program, *arguments)
