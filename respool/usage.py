"""`respool usage`: what was used, by day, model and key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from respool.client import Api
from respool.errors import Refused, understood
from respool.tables import number, print_table, rows, text_table
from respool.target import find_api, folder_option, json_option, url_option
from respool.visible import print_lines, shown

COUNTS = (
    "completed", "failed", "incomplete", "cancelled", "input_tokens", "cached_tokens", "output_tokens",
    "reasoning_tokens", "total_tokens", "cost",
)  # fmt: skip
NAMES = ("day", "project", "model", "api_key")
COLUMNS = (*NAMES, *(name.removesuffix("_tokens") for name in COUNTS), "currency")

DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.option("--from", "first", type=DAY, metavar="DAY", help="First day, in UTC.  [default: 29 days before the last]")
@click.option("--to", "last", type=DAY, metavar="DAY", help="Last day, in UTC.  [default: today]")
@click.option("--model", help="Only of this model.")
@click.option("--key", "api_key", help="Only of the key with this id.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, as the service makes it.")
@json_option("Print the rows, one a line.")
@url_option
@folder_option
def usage(
    first: datetime | None, last: datetime | None, model: str | None, api_key: str | None, as_csv: bool,
    as_json: bool, url: str | None, folder: Path | None,
) -> None:  # fmt: skip
    """Jobs, tokens and cost by day, model and key, newest day first."""
    if as_csv and as_json:
        raise click.UsageError("either --csv or --json")
    days = {"from": first and f"{first:%Y-%m-%d}", "to": last and f"{last:%Y-%m-%d}"}
    query = {name: value for name, value in {**days, "model": model, "api_key": api_key}.items() if value}
    api = Api(find_api(url=url, folder=folder))
    if as_csv:
        click.echo(_csv(api, query), nl=False)
        return
    found = api.entries("/v1/usage", **query)
    if as_json:
        print_lines(found)
        return
    with understood():
        summed = [total(found)] if found else []
    print_table(text_table(COLUMNS, rows(cells, [*found, *summed])))


def _csv(api: Api, query: Mapping[str, str]) -> str:
    """Raises Refused where the service makes none."""
    answer = api.session.answer("GET", "/v1/usage", params=query, headers={"Accept": "text/csv"})
    if not answer.headers.get("Content-Type", "").startswith("text/csv"):
        raise Refused("the service gives no CSV")
    return shown(answer.content.decode("utf-8", errors="replace").replace("\r\n", "\n"))


def total(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    sums = {name: sum(row.get(name) or 0 for row in rows) for name in COUNTS}
    return {"day": "total", **sums, "currency": rows[0].get("currency", "") if rows else ""}


def cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    names = (str(row.get(name) or "") for name in NAMES)
    return (*names, *(_count(row, name) for name in COUNTS), str(row.get("currency") or ""))


def _count(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name) or 0
    return f"{value:,.4f}" if name == "cost" else number(value)
