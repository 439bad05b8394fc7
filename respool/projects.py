"""`respool projects`: what each project may take and has taken."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from respool.project_desk import Project, project_desk
from respool.tables import print_table, rows, text_table, used
from respool.target import folder_option, json_option, url_option
from respool.visible import print_document, print_lines

NONE = "none"
COLUMNS = (
    "project", "weight", "queued", "in flight", "submits/min", "tokens today", "tokens this month",
    "cost today", "cost this month", "currency",
)  # fmt: skip


@click.group()
def projects() -> None:
    """Look at projects, and change their shares and budgets.

    They are kept in the Redis of the running `respool up`, or of RESPOOL_REDIS_URL, and need no key there; with --url,
    or RESPOOL_URL alone, the API is asked, which takes changes by an admin key. Changes hold at once and for good.
    """


@projects.command(name="list")
@json_option("Print whole projects, one a line.")
@url_option
@folder_option
def list_projects(as_json: bool, url: str | None, folder: Path | None) -> None:
    """List the projects; `5/200` is what is used and what is allowed."""
    with project_desk(url=url, folder=folder) as desk:
        found = desk.all()
    print_lines(found) if as_json else _print(found)


@projects.command(name="set")
@click.argument("name")
@click.option("--weight", help="Its share of a lane that several projects want; 1 if unset.")
@click.option("--max-queued", help="Jobs that wait.")
@click.option("--max-in-flight", help="Calls at a time.")
@click.option("--submits-per-minute")
@click.option("--tokens-per-day", help="In UTC.")
@click.option("--tokens-per-month", help="In UTC.")
@click.option("--cost-per-day", help="In the currency of the limits file.")
@click.option("--cost-per-month", help="In the currency of the limits file.")
@json_option("Print the whole project.")
@url_option
@folder_option
def set_limits(name: str, as_json: bool, url: str | None, folder: Path | None, **given: str | None) -> None:
    """Change limits of the project NAME, which is made if it is new. `none` takes a limit away."""
    values = {limit: _number(limit, text) for limit, text in given.items() if text is not None}
    if not values:
        raise click.UsageError("say what to set")
    with project_desk(url=url, folder=folder) as desk:
        try:
            changed = desk.change(name, values)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
    print_document(changed) if as_json else _print([changed])


def _number(limit: str, text: str) -> int | float | None:
    """None for `none`; whole numbers as such, since counts must be whole."""
    if text == NONE:
        return None
    try:
        return int(text) if text.lstrip("-").isdecimal() else float(text)
    except ValueError as error:
        raise click.UsageError(f"{limit} must be a number or {NONE}") from error


def _print(found: Sequence[Project]) -> None:
    print_table(text_table(COLUMNS, rows(cells, found)))


def cells(project: Project) -> tuple[str, ...]:
    limits, today, month = project["limits"], project["today"], project["this_month"]
    return (
        project["id"],
        f"{limits['weight']:g}",
        used(project["queued"], limits["max_queued"]),
        used(project["in_flight"], limits["max_in_flight"]),
        "" if limits["submits_per_minute"] is None else str(limits["submits_per_minute"]),
        used(today["tokens"], limits["tokens_per_day"]),
        used(month["tokens"], limits["tokens_per_month"]),
        used(today["cost"], limits["cost_per_day"]),
        used(month["cost"], limits["cost_per_month"]),
        project["currency"],
    )
