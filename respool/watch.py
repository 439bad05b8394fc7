"""`respool watch`: follows jobs to their end."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Protocol

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from respool.client import Api
from respool.errors import CommandError
from respool.job_view import JobView
from respool.target import find_api, folder_option, url_option

EVERY_SECONDS = 5
"""How often the state of a job that goes on is shown anew; its end is seen at once."""

USAGE_NAMES = ("input_tokens", "output_tokens", "total_tokens")


class Display(Protocol):
    def show(self, job: JobView) -> None: ...


@click.command()
@click.argument("job_ids", metavar="ID...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print the whole jobs instead of their text.")
@url_option
@folder_option
def watch(job_ids: Sequence[str], as_json: bool, url: str | None, folder: Path | None) -> None:
    """Follow jobs until they end, then print their answers and usage.

    Exit code 0 if all of them completed (or were cut off by a bound, status incomplete), 1 if one did not.
    """
    api = Api(find_api(url=url, folder=folder))
    ids = list(dict.fromkeys(job_ids))
    last: dict[str, JobView] = {}
    with _display(ids) as display:
        for job in _follow_all(api, ids):
            last[job.id] = job
            display.show(job)
    for job_id in ids:
        click.echo(json.dumps(last[job_id].document, ensure_ascii=False) if as_json else summary(last[job_id]))
    if not all(job.good for job in last.values()):
        raise SystemExit(1)


def _follow_all(api: Api, ids: Sequence[str]) -> Iterator[JobView]:
    """States of all the jobs as they come, until each has ended. Raises what following one of them raises."""
    states: SimpleQueue[JobView | CommandError] = SimpleQueue()

    def follow(job_id: str) -> None:
        try:
            for job in api.follow(job_id, every_seconds=EVERY_SECONDS):
                states.put(job)
        except CommandError as error:
            states.put(error)

    for job_id in ids:
        threading.Thread(target=follow, args=(job_id,), daemon=True).start()
    running = len(ids)
    while running:
        state = states.get()
        if isinstance(state, CommandError):
            raise state
        running -= state.ended
        yield state


@contextmanager
def _display(ids: Sequence[str]) -> Iterator[Display]:
    if not sys.stderr.isatty():
        yield Lines()
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield Bars(progress, ids)


class Bars:
    """A line with a bar for each job, on a terminal; a call does not tell how far it is, so bars swing to the end."""

    def __init__(self, progress: Progress, ids: Sequence[str]) -> None:
        self._progress = progress
        self._rows: dict[str, TaskID] = {job_id: progress.add_task(job_id, total=None) for job_id in ids}

    def show(self, job: JobView) -> None:
        row = self._rows[job.id]
        self._progress.update(row, description=state(job))
        if job.ended:
            self._progress.update(row, total=1, completed=1)


class Lines:
    """A line for each change, where there is no terminal."""

    def __init__(self) -> None:
        self._shown: dict[str, str] = {}

    def show(self, job: JobView) -> None:
        line = state(job)
        if self._shown.get(job.id) != line:
            self._shown[job.id] = line
            click.echo(line, err=True)


def state(job: JobView) -> str:
    """One line on where the job is."""
    parts = [job.id, job.status]
    if job.attempts:
        parts.append(f"attempt {job.attempts}")
    if job.waiting_reason:
        parts.append(f"({job.waiting_reason})")
    return " ".join(parts)


def summary(job: JobView) -> str:
    """How the job ended, its text and what it used."""
    ending = f"{job.id} {job.status}, {job.attempts} attempt{'' if job.attempts == 1 else 's'}"
    lines = [f"{ending}: {job.why}" if job.why else ending]
    lines += [job.text] if job.text else []
    if job.usage:
        used = [f"{job.usage[name]} {name.removesuffix('_tokens')}" for name in USAGE_NAMES if name in job.usage]
        lines.append(f"tokens: {', '.join(used)}")
    return "\n".join(lines)
