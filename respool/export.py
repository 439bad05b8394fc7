"""`respool export`: jobs and usage as NDJSON, for whoever keeps them longer or counts them elsewhere."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

import click

from respool.client import Api
from respool.errors import CannotRun
from respool.target import find_api, folder_option, url_option

MOST_DAYS = 400


class Day(click.ParamType):  # type: ignore[type-arg]
    """A day such as 2026-11-23, of UTC."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no day such as 2026-11-23", param, ctx)


@click.command()
@click.argument("what", type=click.Choice(["jobs", "usage"]))
@click.option("--from", "first", type=Day(), help="First day (UTC).  [default: all jobs; 30 days of usage]")
@click.option("--to", "last", type=Day(), help="Last day (UTC).  [default: today]")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="File, which appears once it is whole.")
@url_option
@folder_option
def export(
    what: str, first: date | None, last: date | None, output: Path | None, url: str | None, folder: Path | None
) -> None:
    """Write jobs (newest first, by when they were submitted) or usage (oldest day first) as JSON, one object a line.

    An admin key brings all projects, another key its own.
    """
    last = last or datetime.now(UTC).date()
    if first is not None and first > last:
        raise click.UsageError("--from lies after --to")
    api = Api(find_api(url=url, folder=folder))
    rows = jobs_between(api, first, last) if what == "jobs" else usage_between(api, first, last)
    with _opened(output) as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")


def jobs_between(api: Api, first: date | None, last: date) -> Iterator[dict[str, Any]]:
    """The jobs that were submitted on these days and are there still, a page in memory at a time."""
    since = _start_of(first) if first else 0.0
    before = _start_of(last + timedelta(days=1))
    for job in api.all_jobs():
        if job["created_at"] < since:
            return
        if job["created_at"] < before:
            yield job


def usage_between(api: Api, first: date | None, last: date) -> Iterator[dict[str, Any]]:
    """The usage of these days, asked for a day at a time. Raises click.UsageError for more than are kept."""
    first = first or last - timedelta(days=29)
    days = (last - first).days + 1
    if days > MOST_DAYS:
        raise click.UsageError(f"usage is kept for {MOST_DAYS} days; these are {days:,}")
    for number in range(days):
        yield from api.usage(first + timedelta(days=number))


def _start_of(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


@contextmanager
def _opened(output: Path | None) -> Iterator[TextIO]:
    """Standard output, or a file that takes its name once all is written."""
    if output is None:
        yield sys.stdout
        return
    draft = output.with_name(f".{output.name}.{secrets.token_hex(4)}")
    try:
        with draft.open("x", encoding="utf-8") as file:
            yield file
        draft.replace(output)
    except OSError as error:
        raise CannotRun(f"cannot write {output}: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
