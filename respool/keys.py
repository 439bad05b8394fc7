"""`respool keys`: API keys and signing secrets, straight on Redis, so that the first one needs no key."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from jobs.errors import KeyNotFound
from jobs.tenants import DEFAULT_PROJECT, ApiKey
from respool.errors import Refused
from respool.key_store import opened_keys, project_checked, secrets_of, tenants_of
from respool.moments import local
from respool.tables import print_table, text_table
from respool.target import folder_option, json_option
from respool.visible import print_document, print_lines
from respool.webhook_secret import fixed_signer, rotate_webhook_secret

COLUMNS = ("id", "project", "role", "key", "created", "revoked")


@click.group()
def keys() -> None:
    """Make, list and revoke API keys, and replace what signs webhooks.

    They are kept in the Redis of the running `respool up`, or of RESPOOL_REDIS_URL; no API gives keys out. If the
    service was started with RESPOOL_SECRET, set the same here.
    """


@keys.command()
@click.option("--project", default=DEFAULT_PROJECT, show_default=True, help="Whose jobs the key sees; made if new.")
@click.option("--admin", is_flag=True, help="The key sees all projects, and may change lanes and projects.")
@json_option("Print the key, what is known of it and the signing secret that came with it.")
@folder_option
def create(project: str, admin: bool, as_json: bool, folder: Path | None) -> None:
    """Make a key and print it: this once, since only a hash of it is kept.

    The first key of a project brings the secret that signs its webhooks, on stderr.
    """
    with opened_keys(folder) as (client, store):
        with project_checked():
            text, key = tenants_of(client, store).create(project=project, role="admin" if admin else "member")
        if not as_json:
            click.echo(f"{key.id} of project {key.project}; the key is shown this once:", err=True)
            click.echo(text)
        signer = fixed_signer(project, folder, store)
        secret = None if signer else secrets_of(client, store).make(project)
    if as_json:
        print_document({**asdict(key), "key": text, "webhook_secret": secret})
        return
    if signer:
        click.echo(signer, err=True)
    if secret:
        click.echo(f"webhook signing secret of project {project}, shown this once: {secret}", err=True)


keys.add_command(rotate_webhook_secret)


@keys.command(name="list")
@json_option("Print them one a line.")
@folder_option
def list_keys(as_json: bool, folder: Path | None) -> None:
    """List all keys, the revoked ones too."""
    with opened_keys(folder) as (client, store):
        found = tenants_of(client, store).list()
    if as_json:
        print_lines(asdict(key) for key in found)
    else:
        print_table(text_table(COLUMNS, [cells(key) for key in found]))


@keys.command()
@click.argument("key_id")
@json_option("Print what is known of the key.")
@folder_option
def revoke(key_id: str, as_json: bool, folder: Path | None) -> None:
    """Make the key KEY_ID invalid, at once and for good."""
    with opened_keys(folder) as (client, store):
        try:
            key = tenants_of(client, store).revoke(key_id)
        except KeyNotFound as error:
            raise Refused(f"no key has the id {key_id}; `respool keys list` shows them") from error
    print_document(asdict(key)) if as_json else click.echo(f"{key.id} of project {key.project} is revoked")


def cells(key: ApiKey) -> tuple[str, ...]:
    role = "admin" if key.admin else "member"
    return (key.id, key.project, role, key.hint, local(key.created_at), local(key.revoked_at))
