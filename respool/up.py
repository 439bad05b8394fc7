"""`respool up`: the whole service on one's own machine."""

from __future__ import annotations

import os
import shlex
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from queue import SimpleQueue

import click

from jobs.settings import Settings
from respool import processes, readiness, server
from respool.child import Surroundings
from respool.data_folder import DEFAULT_FOLDER, DataFolder, Service
from respool.errors import CannotRun
from respool.lifeline import Lifeline
from respool.log import Log
from respool.supervisor import Supervisor
from respool.surroundings import ROOMS, checked, environment

HOST = "127.0.0.1"
BACKLOG = 2048
OWN_REDIS_SECONDS = 300.0
"""Time to load a large append-only file."""
OTHER_REDIS_SECONDS = 10.0
READY_SECONDS = 60.0


@click.command()
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Port of the API; 0: a free one."
)
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64), help="Worker processes.")
@click.option("--slots", type=click.IntRange(1, 20000), help="Calls that one worker makes at the same time.")
@click.option(
    "--data",
    "folder",
    default=DEFAULT_FOLDER,
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder that keeps the jobs and the key.",
)
def up(*, port: int, workers: int, slots: int | None, folder: Path) -> None:
    """Run the service on this machine until Ctrl-C.

    Starts a Redis-protocol server (unless RESPOOL_REDIS_URL names one), the API, the workers and, unless
    RESPOOL_UPSTREAM_URL is set, the sandbox. Prints `respool ready at http://127.0.0.1:PORT` once all of it answers.
    """
    settings = checked(os.environ)
    with ExitStack() as stack:
        data = DataFolder(folder.resolve())
        lock = stack.enter_context(data.claimed())
        listener = stack.enter_context(_listening(port))
        own = None if os.environ.get("RESPOOL_REDIS_URL") else server.prepare(data.path / "redis")
        service = Service(
            url=_address(listener),
            redis_url=own.url if own else settings.redis_url,
            api_key=settings.api_key or data.api_key(),
            secret=settings.secret,
            pid=os.getpid(),
        )
        sandbox = None if os.environ.get("RESPOOL_UPSTREAM_URL") else stack.enter_context(_listening(0))
        surroundings = Surroundings(
            environ=environment(
                os.environ, settings, service, slots=slots, sandbox_url=_address(sandbox) if sandbox else None
            ),
            folder=ROOMS,
            lock=lock,
            lifeline=stack.enter_context(closing(Lifeline(lock=lock))),
            log=Log(sys.stderr),
            events=SimpleQueue(),
        )
        supervisor = stack.enter_context(Supervisor(surroundings).supervising())
        # Closed before the processes are stopped: whoever comes then is refused rather than left waiting.
        stack.enter_context(closing(listener))
        if not _redis_up(supervisor, own, url=service.redis_url):
            return
        others = [processes.api(listener=listener.fileno()), *processes.workers(workers)]
        if sandbox is not None:
            others.append(processes.sandbox(listener=sandbox.fileno()))
        for process in others:
            supervisor.start(process)
        if not _ready(supervisor, service, sandbox, workers=workers):
            return
        data.publish(service)
        _tell(service, data, settings)
        supervisor.keep()


def _redis_up(supervisor: Supervisor, own: server.Server | None, *, url: str) -> bool:
    if own is not None:
        supervisor.start(processes.server(own.command))
    return supervisor.keep_until(
        lambda: readiness.redis_answers(url),
        what="the Redis-protocol server" if own is not None else "the Redis server of RESPOOL_REDIS_URL",
        seconds=OTHER_REDIS_SECONDS if own is None else OWN_REDIS_SECONDS,
    )


def _ready(supervisor: Supervisor, service: Service, sandbox: socket.socket | None, *, workers: int) -> bool:
    def workers_live() -> bool:
        running = supervisor.groups(rank=processes.WORKER_RANK)
        return len(running) == workers and readiness.workers_live(service.redis_url, running)

    waits = {"the API": lambda: readiness.http_answers(f"{service.url}/readyz"), "the workers": workers_live}
    if sandbox is not None:
        healthz = f"{_address(sandbox)}/healthz"
        waits["the sandbox"] = lambda: readiness.http_answers(healthz)
    return all(supervisor.keep_until(answers, what=what, seconds=READY_SECONDS) for what, answers in waits.items())


def _tell(service: Service, data: DataFolder, settings: Settings) -> None:
    if settings.upstream_api_key and not os.environ.get("RESPOOL_UPSTREAM_URL"):
        click.echo(
            "answers come from the sandbox: RESPOOL_UPSTREAM_API_KEY is set, RESPOOL_UPSTREAM_URL is not", err=True
        )
    if not settings.api_key:
        click.echo(f'for other programs: export RESPOOL_API_KEY="$(cat {shlex.quote(str(data.key_file))})"', err=True)
    click.echo(f"respool ready at {service.url}")


@contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    """A listening socket of ours, which the processes inherit: the port stays ours when one of them is started again.

    Raises CannotRun if the port is taken.
    """
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError as error:
            raise CannotRun(f"cannot listen on {HOST}:{port}: {error.strerror}") from error
        listener.listen(BACKLOG)
        yield listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()
    return f"http://{host}:{port}"
