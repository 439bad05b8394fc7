"""Files that are handed to the service."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from respool.client import Api
from respool.errors import Refused, Unreachable
from respool.form import Form, Told
from respool.visible import shown

SHOWN_BYTES = 8 * 1024 * 1024
"""From this size on an upload has a bar."""

ANSWER_SECONDS = 600.0
"""Until the service has it on disk."""


def upload(api: Api, file: Path, *, purpose: str, expires_after_seconds: int | None = None) -> dict[str, Any]:
    """The file as the service keeps it. Raises click.UsageError if it cannot be read, and what Session raises."""
    fields = {"purpose": purpose}
    if expires_after_seconds:
        fields |= {"expires_after[anchor]": "created_at", "expires_after[seconds]": str(expires_after_seconds)}
    try:
        with _bar(file) as told, Form(fields, file, told=told) as form:
            headers = {"Content-Type": form.content_type}
            kept = api.session.ask("POST", "/v1/files", data=form, headers=headers, seconds=ANSWER_SECONDS)
    except OSError as error:
        raise click.UsageError(f"cannot read {file}: {error.strerror}") from error
    except Unreachable as error:
        raise Unreachable(f"{error.message} {file.name} was not sent, or is too large for the service") from error
    if not isinstance(kept.get("id"), str):
        raise Refused("the service answered with something that is no file")
    return kept


def size(count: int) -> str:
    """`512 B`, `3.2 MB`: in steps of a thousand."""
    amount, units = float(count), ["B", "kB", "MB", "GB"]
    while amount >= 1000 and len(units) > 1:
        amount, units = amount / 1000, units[1:]
    return f"{amount:.0f} {units[0]}" if units[0] == "B" else f"{amount:.1f} {units[0]}"


@contextmanager
def _bar(file: Path) -> Iterator[Told]:
    total = file.stat().st_size
    if total < SHOWN_BYTES or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(shown(file.name), total=total)
        yield lambda count: progress.update(task, advance=count)
