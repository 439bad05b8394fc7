"""`respool webhooks`: receivers of events, what became of deliveries, and replay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from respool.client import Api, path_of
from respool.job_view import as_job_id
from respool.moments import Moment, local
from respool.tables import print_table, text_table
from respool.target import find_api, folder_option, json_option, url_option
from respool.visible import print_document, print_line, print_lines, shown

ENDPOINT_COLUMNS = ("id", "status", "url", "events", "last success", "failing since", "note")
DELIVERY_COLUMNS = ("id", "status", "event", "job", "receiver", "attempts", "began", "next", "note")
DEAD = ("exhausted", "gone", "blocked", "cancelled")
DELIVERY_STATUSES = ("pending", "sending", "retrying", "delivered", *DEAD, "dead")
EVERYTHING = 100_000


@click.group()
def webhooks() -> None:
    """Receivers of events, what became of deliveries, and replay."""


@webhooks.command()
@json_option("Print the endpoints, one a line.")
@url_option
@folder_option
def endpoints(as_json: bool, url: str | None, folder: Path | None) -> None:
    """List the registered receivers."""
    found = _api(url, folder).get("/v1/webhook_endpoints").get("data", [])
    print_lines(found) if as_json else print_table(text_table(ENDPOINT_COLUMNS, [endpoint_cells(one) for one in found]))


@webhooks.command()
@click.argument("address", metavar="URL")
@click.option("--event", "events", multiple=True, help="Only this type; may be given several times.")
@click.option("--include", type=click.Choice(["id", "response"]), help="What an event carries.")
@click.option("--description", help="What it is for.")
@json_option("Print the whole endpoint.")
@url_option
@folder_option
def add(address: str, as_json: bool, url: str | None, folder: Path | None, **given: Any) -> None:
    """Register URL as a receiver, and print the secret that signs: this once."""
    named = {name: list(value) if name == "events" else value for name, value in given.items() if value}
    made = _api(url, folder).post("/v1/webhook_endpoints", {"url": address, **named})
    if as_json:
        print_document(made)
        return
    click.echo(shown(f"{made.get('id')}; what signs its webhooks is shown this once:"), err=True)
    click.echo(shown(str(made.get("secret"))))


@webhooks.command()
@click.argument("endpoint_id", metavar="ID")
@url_option
@folder_option
def remove(endpoint_id: str, url: str | None, folder: Path | None) -> None:
    """Forget a receiver; what it was still owed is cancelled."""
    _api(url, folder).delete(path_of("webhook_endpoints", endpoint_id))
    click.echo(f"{endpoint_id} is removed")


def _switch(name: str, status: str, help: str) -> None:
    @webhooks.command(name=name, help=help)
    @click.argument("endpoint_id", metavar="ID")
    @url_option
    @folder_option
    def switch(endpoint_id: str, url: str | None, folder: Path | None) -> None:
        changed = _api(url, folder).patch(path_of("webhook_endpoints", endpoint_id), {"status": status})
        click.echo(shown(f"{changed.get('id')} {changed.get('status')}"))


_switch("enable", "enabled", "Deliver to a receiver again that was disabled.")
_switch("disable", "disabled", "Deliver nothing more to a receiver; what it was still owed is cancelled.")


@webhooks.command()
@click.argument("endpoint_id", metavar="ID")
@json_option("Print the delivery.")
@url_option
@folder_option
def test(endpoint_id: str, as_json: bool, url: str | None, folder: Path | None) -> None:
    """Owe a receiver an event that only tests, and print the delivery's id."""
    owed = _api(url, folder).post(path_of("webhook_endpoints", endpoint_id, "test"))
    print_document(owed) if as_json else click.echo(shown(str(owed.get("id"))))


@webhooks.command()
@click.option("--status", type=click.Choice(DELIVERY_STATUSES), help="Only those; dead: any that was given up.")
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
    api = _api(url, folder)
    if job_id:
        owed = api.get(path_of("jobs", as_job_id(job_id), "deliveries")).get("data", [])
        wanted = DEAD if status == "dead" else (status,)
        found = [one for one in owed if status is None or one.get("status") in wanted][:limit]
    else:
        query = {name: value for name, value in (("status", status), ("endpoint_id", endpoint_id)) if value}
        found = list(api.rows("/v1/webhook_deliveries", most=limit, **query))
    print_lines(found) if as_json else print_table(text_table(DELIVERY_COLUMNS, [delivery_cells(one) for one in found]))


@webhooks.command()
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
    api = _api(url, folder)
    for delivery_id in delivery_ids:
        owed = api.post(path_of("webhook_deliveries", delivery_id, "replay"))
        print_line(owed) if as_json else click.echo(shown(f"{owed.get('id')} {owed.get('status')}"))
    if since is not None:
        count = _replay_all(api, {"since": int(since)} | ({"endpoint_id": endpoint_id} if endpoint_id else {}))
        print_document({"replayed": count}) if as_json else click.echo(f"{count} replayed")


def _replay_all(api: Api, body: Mapping[str, Any]) -> int:
    """How many; the API replays so many at a call."""
    count = 0
    while True:
        answer = api.post("/v1/webhook_deliveries/replay", body)
        count += int(answer.get("replayed") or 0)
        if not answer.get("has_more") or not answer.get("replayed"):
            return count


def _api(url: str | None, folder: Path | None) -> Api:
    return Api(find_api(url=url, folder=folder))


def endpoint_cells(one: Mapping[str, Any]) -> tuple[str, ...]:
    events = one.get("events")
    return (
        str(one.get("id")), str(one.get("status")), str(one.get("url")), "all" if events is None else ", ".join(events),
        local(one.get("last_success_at")), local(one.get("failing_since")),
        str(one.get("disabled_reason") or one.get("description") or ""),
    )  # fmt: skip


def delivery_cells(one: Mapping[str, Any]) -> tuple[str, ...]:
    attempts = one.get("attempts") or []
    latest = attempts[-1].get("http_status") if attempts else None
    note = ", ".join([*([str(one["error"])] if one.get("error") else []), *([f"HTTP {latest}"] if latest else [])])
    return (
        str(one.get("id")), str(one.get("status")), str(one.get("type")), str(one.get("job_id") or ""),
        str(one.get("endpoint_id") or one.get("origin") or ""), str(len(attempts)), local(one.get("created_at")),
        local(one.get("next_attempt_at")), note,
    )  # fmt: skip
