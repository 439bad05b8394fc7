"""What `respool webhooks` does with deliveries: list and replay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from respool.client import Api, path_of
from respool.errors import understood
from respool.job_view import as_job_id
from respool.moments import Moment, local
from respool.tables import print_table, rows, text_table
from respool.target import find_api, folder_option, json_option, url_option
from respool.visible import print_document, print_line, print_lines, shown

COLUMNS = ("id", "status", "event", "job", "receiver", "attempts", "began", "next", "note")
DEAD = ("exhausted", "gone", "blocked", "cancelled")
STATUSES = ("pending", "sending", "retrying", "delivered", *DEAD, "dead")
EVERYTHING = 100_000


@click.command()
@click.option("--status", type=click.Choice(STATUSES), help="Only those; dead: any that was given up.")
@click.option("--endpoint", "endpoint_id", help="Only those owed to this receiver.")
@click.option("--job", "job_id", help="Only those of this job.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, EVERYTHING), help="At most so many.")
@json_option("Print the deliveries, one a line.")
@url_option
@folder_option
def deliveries(
    status: str | None, endpoint_id: str | None, job_id: str | None, limit: int, as_json: bool, url: str | None,
    folder: Path | None,
) -> None:  # fmt: skip
    """List what became of each event that was owed to a receiver, newest first."""
    api = Api(find_api(url=url, folder=folder))
    if job_id:
        owed = api.entries(path_of("jobs", as_job_id(job_id), "deliveries"))
        wanted = DEAD if status == "dead" else (status,)
        found = [one for one in owed if status is None or one.get("status") in wanted][:limit]
    else:
        query = {name: value for name, value in (("status", status), ("endpoint_id", endpoint_id)) if value}
        found = list(api.rows("/v1/webhook_deliveries", most=limit, **query))
    print_lines(found) if as_json else print_table(text_table(COLUMNS, rows(cells, found)))


@click.command()
@click.argument("delivery_ids", metavar="[ID]...", nargs=-1)
@click.option("--since", type=Moment(), help="All that were given up and began since then: 2h (ago), 2026-11-23, ….")
@click.option("--endpoint", "endpoint_id", help="With --since: only those owed to this receiver.")
@json_option("Print the deliveries, one a line; with --since how many they are.")
@url_option
@folder_option
def replay(
    delivery_ids: Sequence[str], since: float | None, endpoint_id: str | None, as_json: bool, url: str | None,
    folder: Path | None,
) -> None:  # fmt: skip
    """Deliver once more: those that are named, or all that were given up --since a time."""
    if bool(delivery_ids) == (since is not None):
        raise click.UsageError("name deliveries, or say --since when; `respool webhooks deliveries` lists them")
    api = Api(find_api(url=url, folder=folder))
    for delivery_id in delivery_ids:
        owed = api.post(path_of("webhook_deliveries", delivery_id, "replay"))
        with understood():
            print_line(owed) if as_json else click.echo(shown(f"{owed['id']} {owed['status']}"))
    if since is not None:
        count = _replay_all(api, {"since": int(since)} | ({"endpoint_id": endpoint_id} if endpoint_id else {}))
        print_document({"replayed": count}) if as_json else click.echo(f"{count} replayed")


def _replay_all(api: Api, body: Mapping[str, Any]) -> int:
    """How many; the API replays so many at a call."""
    count = 0
    while True:
        answer = api.post("/v1/webhook_deliveries/replay", body)
        with understood():
            count += int(answer["replayed"])
        if not answer.get("has_more") or not answer["replayed"]:
            return count


COMMANDS = (deliveries, replay)


def cells(one: Mapping[str, Any]) -> tuple[str, ...]:
    attempts = one.get("attempts") or []
    latest = attempts[-1].get("http_status") if attempts else None
    note = ", ".join([*([str(one["error"])] if one.get("error") else []), *([f"HTTP {latest}"] if latest else [])])
    return (
        str(one.get("id")), str(one.get("status")), str(one.get("type")), str(one.get("job_id") or ""),
        str(one.get("endpoint_id") or one.get("origin") or ""), str(len(attempts)), local(one.get("created_at")),
        local(one.get("next_attempt_at")), note,
    )  # fmt: skip
