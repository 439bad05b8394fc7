"""`respool export`: jobs and usage as NDJSON, for whoever keeps them longer or counts them elsewhere."""

from __future__ import annotations

import io
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
from respool.every_job import every_job
from respool.private_file import open_private
from respool.target import find_api, folder_option, url_option
from respool.visible import in_json

MOST_DAYS = 400
FIRST_YEAR, LAST_YEAR = 1970, 9998


class Day(click.ParamType):  # type: ignore[type-arg]
    """A day such as 2026-11-23, of UTC."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            day = date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no day such as 2026-11-23", param, ctx)
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            self.fail(f"{value!r} is no day between {FIRST_YEAR} and {LAST_YEAR}", param, ctx)
        return day


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
    """Write jobs or usage as JSON, one object a line.

    Jobs come newest first, by when they were submitted; usage comes oldest day first. An admin key brings all projects,
    another key its own.
    """
    last = last or datetime.now(UTC).date()
    if first is not None and first > last:
        raise click.UsageError("--from lies after --to")
    api = Api(find_api(url=url, folder=folder))
    rows = jobs_between(api, first, last) if what == "jobs" else usage_between(api, first, last)
    with _opened(output) as file:
        for row in rows:
            file.write(in_json(row) + "\n")


def jobs_between(api: Api, first: date | None, last: date) -> Iterator[dict[str, Any]]:
    """The jobs that were submitted on these days and are there still, a page in memory at a time."""
    since = {"created_after": _start_of(first)} if first else {}
    return every_job(api, created_before=_start_of(last + timedelta(days=1)), **since)


def usage_between(api: Api, first: date | None, last: date) -> Iterator[dict[str, Any]]:
    """The usage of these days, asked for a day at a time. Raises click.UsageError for more than are kept."""
    first = first or last - timedelta(days=29)
    days = (last - first).days + 1
    if days > MOST_DAYS:
        raise click.UsageError(f"usage is kept for {MOST_DAYS} days; these are {days:,}")
    for number in range(days):
        day = (first + timedelta(days=number)).isoformat()
        yield from api.entries("/v1/usage", **{"from": day, "to": day})


def _start_of(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


@contextmanager
def _opened(output: Path | None) -> Iterator[TextIO]:
    """Standard output, or a file, its owner's alone, that takes its name once all is written."""
    if output is None:
        yield sys.stdout
        return
    draft = output.with_name(f".{output.name}.{secrets.token_hex(4)}")
    try:
        with io.TextIOWrapper(open_private(draft), encoding="utf-8") as file:
            yield file
        draft.replace(output)
    except OSError as error:
        raise CannotRun(f"cannot write {output}: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
