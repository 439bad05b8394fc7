"""`respool jobs`: what was handed in."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click
from rich.table import Table

from respool.client import Api
from respool.job_view import JobView
from respool.tables import print_table, text_table
from respool.target import find_api, folder_option, url_option

STATUSES = ("queued", "in_progress", "completed", "failed", "incomplete", "cancelled")
COLUMNS = ("id", "status", "model", "created", "attempts", "tokens", "note")


@click.command(name="jobs")
@click.option("--status", type=click.Choice(STATUSES), help="Only those.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 100_000), help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="Print whole jobs, one a line.")
@url_option
@folder_option
def list_jobs(status: str | None, limit: int, as_json: bool, url: str | None, folder: Path | None) -> None:
    """List jobs, newest first."""
    found = Api(find_api(url=url, folder=folder)).jobs(status=status, most=limit)
    if as_json:
        for job in found:
            click.echo(json.dumps(job.document, ensure_ascii=False))
        return
    print_table(table(list(found)))


def table(jobs: list[JobView]) -> Table:
    return text_table(COLUMNS, [cells(job) for job in jobs])


def cells(job: JobView) -> tuple[str, ...]:
    created = datetime.fromtimestamp(job.created_at).astimezone()
    tokens = str(job.usage.get("total_tokens", ""))
    note = job.outlook or job.why or ""
    return (job.id, job.status, job.model, f"{created:%Y-%m-%d %H:%M:%S}", str(job.attempts), tokens, note)
