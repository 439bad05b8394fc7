"""`respool jobs`: what was handed in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from respool.client import Api
from respool.job_view import JobView
from respool.moments import Moment, local
from respool.pairs import read_pairs
from respool.tables import print_table, text_table
from respool.target import find_api, folder_option, json_option, url_option
from respool.visible import print_line

STATUSES = ("queued", "in_progress", "completed", "failed", "incomplete", "cancelled")
COLUMNS = ("id", "status", "model", "created", "attempts", "tokens", "note")


@click.command(name="jobs")
@click.option("--status", multiple=True, type=click.Choice(STATUSES), help="Only those; may be given several times.")
@click.option("--model", help="Only those of this model.")
@click.option("--metadata", multiple=True, metavar="KEY=VALUE", help="Only those that have it; all that are given.")
@click.option("--since", type=Moment(), help="Only those from then on: 90min (ago), 7d, 2026-11-23, or a full time.")
@click.option("--until", type=Moment(), help="Only those from before then.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 100_000), help="At most so many.")
@json_option("Print whole jobs, one a line.")
@url_option
@folder_option
def list_jobs(limit: int, as_json: bool, url: str | None, folder: Path | None, **wanted: Any) -> None:
    """List jobs, newest first."""
    asked_for = query(**wanted)
    found = Api(find_api(url=url, folder=folder)).jobs(most=limit, **asked_for)
    if as_json:
        for job in found:
            print_line(job.document)
        return
    jobs = list(found)
    print_table(table(jobs))
    if not jobs:
        click.echo("no such jobs" if asked_for else "no jobs yet; `respool submit` hands one in", err=True)


def query(
    *, status: Sequence[str] = (), model: str | None = None, metadata: Sequence[str] = (),
    since: float | None = None, until: float | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The parameters of GET /v1/jobs. Raises click.BadParameter."""
    found: dict[str, Any] = {f"metadata[{k}]": v for k, v in read_pairs(metadata, option="--metadata").items()}
    times = {"created_after": since, "created_before": until}
    found |= {name: f"{max(0.0, value):.3f}" for name, value in times.items() if value is not None}
    found |= {"model": model} if model else {}
    return found | ({"status": list(status)} if status else {})


def table(jobs: list[JobView]) -> Table:
    return text_table(COLUMNS, [cells(job) for job in jobs])


def cells(job: JobView) -> tuple[str, ...]:
    tokens = str(job.usage.get("total_tokens", ""))
    note = job.outlook or job.why or ""
    return (job.id, job.status, job.model, local(job.created_at), str(job.attempts), tokens, note)
