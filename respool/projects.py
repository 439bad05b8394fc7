"""`respool projects`: what each project may take and has taken, straight on Redis, so that no admin key is needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from jobs.projects import Project, Projects, check_change
from respool.store_client import limits_of, opened_store
from respool.tables import print_table, text_table, used
from respool.target import folder_option

NONE = "none"
COLUMNS = (
    "project", "weight", "queued", "in flight", "submits/min", "tokens today", "tokens this month",
    "cost today", "cost this month", "currency",
)  # fmt: skip


@click.group()
def projects() -> None:
    """Look at projects, and change their shares and budgets.

    They are kept in the Redis of the running `respool up`, or of RESPOOL_REDIS_URL. Changes hold at once and for good.
    """


@projects.command(name="list")
@folder_option
def list_projects(folder: Path | None) -> None:
    """List the projects; `5/200` is what is used and what is allowed."""
    with opened_store(folder) as (client, store):
        _print(Projects(client).all(), currency=limits_of(store).currency)


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
@folder_option
def set_limits(name: str, folder: Path | None, **given: str | None) -> None:
    """Change limits of the project NAME, which is made if it is new. `none` takes a limit away."""
    values = {limit: _number(limit, text) for limit, text in given.items() if text is not None}
    if not values:
        raise click.UsageError("say what to set")
    with opened_store(folder) as (client, store):
        currency = limits_of(store).currency
        try:
            _print([Projects(client).change(name, check_change(values))], currency=currency)
        except ValueError as error:
            raise click.UsageError(str(error)) from error


def _number(limit: str, text: str) -> int | float | None:
    """None for `none`; whole numbers as such, since counts must be whole."""
    if text == NONE:
        return None
    try:
        return int(text) if text.lstrip("-").isdecimal() else float(text)
    except ValueError as error:
        raise click.UsageError(f"{limit} must be a number or {NONE}") from error


def _print(found: Sequence[Project], *, currency: str) -> None:
    print_table(text_table(COLUMNS, [cells(project, currency=currency) for project in found]))


def cells(project: Project, *, currency: str) -> tuple[str, ...]:
    limits = project.limits
    return (
        project.name,
        f"{limits.weight:g}",
        used(project.queued, limits.max_queued),
        used(project.in_flight, limits.max_in_flight),
        "" if limits.submits_per_minute is None else str(limits.submits_per_minute),
        used(project.tokens_today, limits.tokens_per_day),
        used(project.tokens_this_month, limits.tokens_per_month),
        used(project.cost_today, limits.cost_per_day),
        used(project.cost_this_month, limits.cost_per_month),
        currency,
    )
