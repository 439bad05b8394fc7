"""`respool keys`: API keys, straight on Redis, so that the first one needs no key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click

from jobs.errors import KeyNotFound
from jobs.tenants import DEFAULT_PROJECT, ApiKey, Tenants
from respool.errors import Refused
from respool.store_client import opened_store
from respool.tables import print_table, text_table
from respool.target import folder_option

COLUMNS = ("id", "project", "role", "key", "created", "revoked")


@click.group()
def keys() -> None:
    """Make, list and revoke API keys.

    They are kept in the Redis of the running `respool up`, or of RESPOOL_REDIS_URL. If the service was started with
    RESPOOL_SECRET, set the same here.
    """


@keys.command()
@click.option("--project", default=DEFAULT_PROJECT, show_default=True, help="Whose jobs the key sees; made if new.")
@click.option("--admin", is_flag=True, help="The key sees all projects, and may change lanes and projects.")
@folder_option
def create(project: str, admin: bool, folder: Path | None) -> None:
    """Make a key and print it: this once, since only a hash of it is kept."""
    with _tenants(folder) as tenants:
        try:
            text, key = tenants.create(project=project, role="admin" if admin else "member")
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--project") from error
    click.echo(f"{key.id} of project {key.project}; the key is shown this once:", err=True)
    click.echo(text)


@keys.command(name="list")
@folder_option
def list_keys(folder: Path | None) -> None:
    """List all keys, the revoked ones too."""
    with _tenants(folder) as tenants:
        found = tenants.list()
    print_table(text_table(COLUMNS, [cells(key) for key in found]))


@keys.command()
@click.argument("key_id")
@folder_option
def revoke(key_id: str, folder: Path | None) -> None:
    """Make the key KEY_ID invalid, at once and for good."""
    with _tenants(folder) as tenants:
        try:
            key = tenants.revoke(key_id)
        except KeyNotFound as error:
            raise Refused(f"no key has the id {key_id}; `respool keys list` shows them") from error
    click.echo(f"{key.id} of project {key.project} is revoked")


def cells(key: ApiKey) -> tuple[str, ...]:
    role = "admin" if key.admin else "member"
    return (key.id, key.project, role, key.hint, _time(key.created_at), _time(key.revoked_at))


def _time(seconds: int | None) -> str:
    return "" if seconds is None else f"{datetime.fromtimestamp(seconds).astimezone():%Y-%m-%d %H:%M:%S}"


@contextmanager
def _tenants(folder: Path | None) -> Iterator[Tenants]:
    with opened_store(folder) as (client, store):
        yield Tenants(client, secret=store.secret)
