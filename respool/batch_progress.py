"""Batches that are followed to their ends, with a bar of lines for each."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from respool.batch_view import BatchView, read_batch, state
from respool.client import PATIENCE_SECONDS, Api, path_of
from respool.errors import Refused, Unreachable

EVERY_SECONDS = 1.0
Show = Callable[[BatchView], None]


def follow_batches(api: Api, ids: Sequence[str]) -> list[BatchView]:
    """The batches at their ends; a service that goes away is waited for."""
    last: dict[str, BatchView] = {}
    with _display(ids) as show:
        open_ids, heard_at = list(ids), time.monotonic()
        while open_ids:
            try:
                for batch in [find_batch(api, batch_id) for batch_id in open_ids]:
                    last[batch.id] = batch
                    show(batch)
                heard_at = time.monotonic()
            except Unreachable:
                if not last or time.monotonic() - heard_at > PATIENCE_SECONDS:
                    raise
            open_ids = [batch_id for batch_id in ids if batch_id not in last or not last[batch_id].ended]
            if open_ids:
                time.sleep(EVERY_SECONDS)
    return [last[batch_id] for batch_id in ids]


def find_batch(api: Api, batch_id: str) -> BatchView:
    """Raises Refused if that is another one, since whoever follows it waits for its end."""
    batch = read_batch(api.get(path_of("batches", batch_id)))
    if batch.id != batch_id:
        raise Refused("the service answered with another batch")
    return batch


@contextmanager
def _display(ids: Sequence[str]) -> Iterator[Show]:
    if not sys.stderr.isatty():
        yield Changes().show
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        rows = {batch_id: progress.add_task(batch_id, total=None) for batch_id in ids}

        def show(batch: BatchView) -> None:
            done = batch.completed + batch.failed
            total = done if batch.ended else batch.total or None
            progress.update(rows[batch.id], description=state(batch), total=total, completed=done)

        yield show


class Changes:
    """A line for each change, where there is no terminal."""

    def __init__(self) -> None:
        self._shown: dict[str, str] = {}

    def show(self, batch: BatchView) -> None:
        line = state(batch)
        if self._shown.get(batch.id) != line:
            self._shown[batch.id] = line
            click.echo(line, err=True)
