"""`respool up`: the whole service on one's own machine."""

from __future__ import annotations

import os
import shlex
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

import click

from jobs.limits import read_limits
from jobs.open_files import allow_open_files
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

    Starts a Redis-protocol server (unless RESPOOL_REDIS_URL names one), the API, the workers, a sender of webhooks and,
    unless RESPOOL_UPSTREAM_URL is set, the sandbox. Prints `respool ready at http://127.0.0.1:PORT` once all of it
    answers.
    """
    settings = checked(os.environ)
    allow_open_files()
    with ExitStack() as stack:
        data = DataFolder(folder.resolve())
        lock = stack.enter_context(data.claimed())
        plan = _plan(stack, data, settings, port=port, workers=workers)
        surroundings = Surroundings(
            environ=environment(
                os.environ,
                settings,
                plan.service,
                slots=slots,
                sandbox_url=plan.sandbox_url,
                webhook_secret=settings.webhook_secret or data.webhook_secret(),
                files_folder=data.files,
            ),
            folder=ROOMS,
            lock=lock,
            lifeline=stack.enter_context(closing(Lifeline(lock=lock))),
            log=Log(sys.stderr),
            events=SimpleQueue(),
        )
        supervisor = stack.enter_context(Supervisor(surroundings).supervising())
        # Closed before the processes are stopped: whoever comes then is refused rather than left waiting.
        stack.enter_context(closing(plan.listener))
        if _redis_up(supervisor, plan) and _others_up(supervisor, plan):
            data.publish(plan.service)
            _tell(plan, data, settings)
            supervisor.keep()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to run. `redis` is None where RESPOOL_REDIS_URL names a server, `sandbox` where there is an upstream."""

    service: Service
    listener: socket.socket
    workers: int
    redis: server.Server | None
    sandbox: socket.socket | None

    @property
    def sandbox_url(self) -> str | None:
        return _address(self.sandbox) if self.sandbox else None


def _plan(stack: ExitStack, data: DataFolder, settings: Settings, *, port: int, workers: int) -> Plan:
    listener = stack.enter_context(_listening(port))
    redis = None if os.environ.get("RESPOOL_REDIS_URL") else server.prepare(data.path / "redis")
    service = Service(
        url=_address(listener),
        redis_url=redis.url if redis else settings.redis_url,
        api_key=settings.api_key or data.api_key(),
        secret=settings.secret,
        pid=os.getpid(),
        limits_file=str(settings.limits_file.resolve()) if settings.limits_file else "",
    )
    has_upstream = bool(os.environ.get("RESPOOL_UPSTREAM_URL") or read_limits(settings.limits_file).accounts)
    sandbox = None if has_upstream else stack.enter_context(_listening(0))
    return Plan(service=service, listener=listener, workers=workers, redis=redis, sandbox=sandbox)


def _redis_up(supervisor: Supervisor, plan: Plan) -> bool:
    what, seconds = "the Redis server of RESPOOL_REDIS_URL", OTHER_REDIS_SECONDS
    if plan.redis is not None:
        supervisor.start(processes.server(plan.redis.command))
        what, seconds = "the Redis-protocol server", OWN_REDIS_SECONDS
    url = plan.service.redis_url
    return supervisor.keep_until(lambda: readiness.redis_answers(url), what=what, seconds=seconds)


def _others_up(supervisor: Supervisor, plan: Plan) -> bool:
    supervisor.start(processes.api(listener=plan.listener.fileno()))
    at_work = [*processes.workers(plan.workers), processes.sender()]
    for process in at_work:
        supervisor.start(process)
    if plan.sandbox is not None:
        supervisor.start(processes.sandbox(listener=plan.sandbox.fileno()))

    def all_live() -> bool:
        running = supervisor.groups(rank=processes.WORKER_RANK)
        return len(running) == len(at_work) and readiness.all_live(plan.service.redis_url, running)

    waits = {
        "the API": lambda: readiness.http_answers(f"{plan.service.url}/readyz"),
        "the workers and the sender": all_live,
    }
    if plan.sandbox is not None:
        waits["the sandbox"] = lambda: readiness.http_answers(f"{plan.sandbox_url}/healthz")
    return all(supervisor.keep_until(answers, what=what, seconds=READY_SECONDS) for what, answers in waits.items())


def _tell(plan: Plan, data: DataFolder, settings: Settings) -> None:
    if settings.upstream_api_key and plan.sandbox is not None:
        click.echo(
            "answers come from the sandbox: RESPOOL_UPSTREAM_API_KEY is set, RESPOOL_UPSTREAM_URL is not", err=True
        )
    if not settings.api_key:
        click.echo(f"for other programs: {_export('RESPOOL_API_KEY', data.key_file)}", err=True)
    if not settings.webhook_secret:
        click.echo(f"for receivers: {_export('OPENAI_WEBHOOK_SECRET', data.webhook_secret_file)}", err=True)
    click.echo(f"respool ready at {plan.service.url}")


def _export(name: str, file: Path) -> str:
    return f'export {name}="$(cat {shlex.quote(str(file))})"'


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
            raise CannotRun(
                f"cannot listen on {HOST}:{port}: {error.strerror}; --port names another, or 0 for a free one"
            ) from error
        listener.listen(BACKLOG)
        yield listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()
    return f"http://{host}:{port}"
