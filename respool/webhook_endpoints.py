"""What `respool webhooks` does with receivers: list, register, switch, test, forget."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from respool.client import Api, path_of
from respool.errors import understood
from respool.moments import local
from respool.tables import print_table, rows, text_table
from respool.target import find_api, folder_option, json_option, url_option
from respool.visible import print_document, print_lines, shown

COLUMNS = ("id", "status", "url", "events", "last success", "failing since", "note")


@click.command()
@json_option("Print the endpoints, one a line.")
@url_option
@folder_option
def endpoints(as_json: bool, url: str | None, folder: Path | None) -> None:
    """List the registered receivers."""
    found = Api(find_api(url=url, folder=folder)).entries("/v1/webhook_endpoints")
    print_lines(found) if as_json else print_table(text_table(COLUMNS, rows(cells, found)))


@click.command()
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
    made = Api(find_api(url=url, folder=folder)).post("/v1/webhook_endpoints", {"url": address, **named})
    if as_json:
        print_document(made)
        return
    with understood():
        endpoint_id, secret = made["id"], made["secret"]
    click.echo(shown(f"{endpoint_id}; what signs its webhooks is shown this once:"), err=True)
    click.echo(shown(str(secret)))


@click.command()
@click.argument("endpoint_id", metavar="ID")
@url_option
@folder_option
def remove(endpoint_id: str, url: str | None, folder: Path | None) -> None:
    """Forget a receiver; what it was still owed is cancelled."""
    Api(find_api(url=url, folder=folder)).delete(path_of("webhook_endpoints", endpoint_id))
    click.echo(f"{endpoint_id} is removed")


def _switch(name: str, status: str, help: str) -> click.Command:
    @click.command(name=name, help=help)
    @click.argument("endpoint_id", metavar="ID")
    @url_option
    @folder_option
    def switch(endpoint_id: str, url: str | None, folder: Path | None) -> None:
        changed = Api(find_api(url=url, folder=folder)).patch(
            path_of("webhook_endpoints", endpoint_id), {"status": status}
        )
        with understood():
            click.echo(shown(f"{changed['id']} {changed['status']}"))

    return switch


enable = _switch("enable", "enabled", "Deliver to a receiver again that was disabled.")
disable = _switch("disable", "disabled", "Deliver nothing more to a receiver; what it was still owed is cancelled.")


@click.command()
@click.argument("endpoint_id", metavar="ID")
@json_option("Print the delivery.")
@url_option
@folder_option
def test(endpoint_id: str, as_json: bool, url: str | None, folder: Path | None) -> None:
    """Owe a receiver an event that only tests, and print the delivery's id."""
    owed = Api(find_api(url=url, folder=folder)).post(path_of("webhook_endpoints", endpoint_id, "test"))
    with understood():
        print_document(owed) if as_json else click.echo(shown(str(owed["id"])))


COMMANDS = (endpoints, add, enable, disable, test, remove)


def cells(one: Mapping[str, Any]) -> tuple[str, ...]:
    events = one.get("events")
    return (
        str(one.get("id")), str(one.get("status")), str(one.get("url")), "all" if events is None else ", ".join(events),
        local(one.get("last_success_at")), local(one.get("failing_since")),
        str(one.get("disabled_reason") or one.get("description") or ""),
    )  # fmt: skip
