"""How jobs that are followed are shown on stderr: in lines, or in bars where it is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from respool.job_view import JobView
from respool.visible import shown

USAGE_NAMES = ("input_tokens", "output_tokens", "total_tokens")


class Display(Protocol):
    def show(self, job: JobView) -> None: ...


@contextmanager
def display(ids: Sequence[str]) -> Iterator[Display]:
    """The bar of a single job goes with the end of it."""
    if not sys.stderr.isatty():
        yield Lines()
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=len(ids) == 1) as progress:
        yield Bars(progress, ids)


class Bars:
    """A line with a bar for each job, on a terminal; a call does not tell how far it is, so bars swing to the end."""

    def __init__(self, progress: Progress, ids: Sequence[str]) -> None:
        self._progress = progress
        self._rows: dict[str, TaskID] = {job_id: progress.add_task(shown(job_id), total=None) for job_id in ids}

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
    if job.outlook:
        parts.append(f"({job.outlook})")
    return shown(" ".join(parts))


def summary(job: JobView) -> str:
    """How the job ended, its text and what it used."""
    return "\n".join([ending(job), *([job.text] if job.text else []), *taken(job)])


def ending(job: JobView) -> str:
    """One line on how the job ended."""
    line = f"{job.id} {job.status}, {job.attempts} attempt{'' if job.attempts == 1 else 's'}"
    return f"{line}: {job.why}" if job.why else line


def taken(job: JobView) -> list[str]:
    """One line on the tokens and the cost, where they are known."""
    names = [name for name in USAGE_NAMES if name in job.usage]
    if not names:
        return []
    told = ", ".join(f"{job.usage[name]} {name.removesuffix('_tokens')}" for name in names)
    cost, currency = job.document.get("cost"), job.document.get("currency")
    return [shown(f"tokens: {told}" + (f"; cost: {cost} {currency}" if cost else ""))]
