"""`respool keys`: API keys and signing secrets, straight on Redis, so that the first one needs no key."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click
import redis

from jobs.errors import KeyNotFound, TooManySecrets
from jobs.settings import read_settings
from jobs.tenants import DEFAULT_PROJECT, ApiKey, Tenants
from jobs.vault import Vault
from jobs.webhooks.secrets import OVERLAP_SECONDS, ProjectSecrets
from respool.data_folder import DEFAULT_FOLDER, DataFolder
from respool.errors import Refused
from respool.moments import local
from respool.store_client import opened_store
from respool.tables import print_table, text_table
from respool.target import Store, folder_option, json_option, over_http
from respool.visible import print_document, print_lines

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
    with _opened(folder) as (client, store):
        with _project_checked():
            text, key = _tenants(client, store).create(project=project, role="admin" if admin else "member")
        if not as_json:
            click.echo(f"{key.id} of project {key.project}; the key is shown this once:", err=True)
            click.echo(text)
        signer = _fixed_signer(project, folder, store)
        secret = None if signer else _secrets(client, store).make(project)
    if as_json:
        print_document({**asdict(key), "key": text, "webhook_secret": secret})
        return
    if signer:
        click.echo(signer, err=True)
    if secret:
        click.echo(f"webhook signing secret of project {project}, shown this once: {secret}", err=True)


@keys.command(name="webhook-secret")
@click.option("--project", default=DEFAULT_PROJECT, show_default=True, help="Whose webhooks it signs; made if new.")
@json_option("Print the secret and its project.")
@folder_option
def rotate_webhook_secret(project: str, as_json: bool, folder: Path | None) -> None:
    """Make a new secret that signs webhooks, and print it: this once.

    The one before it signs beside it for 24 hours, so that receivers can change over.
    """
    with _opened(folder) as (client, store):
        signer = _fixed_signer(project, folder, store)
        if signer:
            raise Refused(signer)
        try:
            with _project_checked():
                secret = _secrets(client, store).rotate(project)
        except TooManySecrets as error:
            minutes = error.retry_after_seconds / 60
            raise Refused(f"{error} secrets sign at present; one of them stops in {minutes:.0f} min") from error
    if as_json:
        print_document({"project": project, "webhook_secret": secret})
        return
    hours = OVERLAP_SECONDS // 3600
    click.echo(
        f"webhook signing secret of project {project}, shown this once; those before it sign on for {hours} hours:",
        err=True,
    )
    click.echo(secret)


@keys.command(name="list")
@json_option("Print them one a line.")
@folder_option
def list_keys(as_json: bool, folder: Path | None) -> None:
    """List all keys, the revoked ones too."""
    with _opened(folder) as (client, store):
        found = _tenants(client, store).list()
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
    with _opened(folder) as (client, store):
        try:
            key = _tenants(client, store).revoke(key_id)
        except KeyNotFound as error:
            raise Refused(f"no key has the id {key_id}; `respool keys list` shows them") from error
    print_document(asdict(key)) if as_json else click.echo(f"{key.id} of project {key.project} is revoked")


def cells(key: ApiKey) -> tuple[str, ...]:
    role = "admin" if key.admin else "member"
    return (key.id, key.project, role, key.hint, local(key.created_at), local(key.revoked_at))


@contextmanager
def _opened(folder: Path | None) -> Iterator[tuple[redis.Redis, Store]]:
    """As `opened_store`. Raises Refused where that would lead to another service than all other commands speak to."""
    if over_http(url=None, folder=folder):
        raise Refused("RESPOOL_URL names a service whose Redis is not known here; set RESPOOL_REDIS_URL, or use --data")
    with opened_store(folder) as opened:
        yield opened


@contextmanager
def _project_checked() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--project") from error


def _tenants(client: redis.Redis, store: Store) -> Tenants:
    return Tenants(client, secret=store.secret)


def _secrets(client: redis.Redis, store: Store) -> ProjectSecrets:
    return ProjectSecrets(client, Vault(client, secret=store.secret))


def _fixed_signer(project: str, folder: Path | None, store: Store) -> str | None:
    """What says that a setting signs the project's webhooks, or None where a secret in Redis does."""
    if project != DEFAULT_PROJECT:
        return None
    signed = f"webhooks of project {project} are signed with "
    if read_settings(os.environ).webhook_secret:
        return signed + "RESPOOL_WEBHOOK_SECRET"
    data = DataFolder(folder or DEFAULT_FOLDER)
    service = data.service()
    if service is None or service.redis_url != store.redis_url:
        return None
    return f"{signed}the RESPOOL_WEBHOOK_SECRET of `respool up`, or without one with {data.webhook_secret_file}"
