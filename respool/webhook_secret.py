"""`respool keys webhook-secret`: what signs the webhooks of a project."""

from __future__ import annotations

import os
from pathlib import Path

import click

from jobs.errors import TooManySecrets
from jobs.settings import read_settings
from jobs.tenants import DEFAULT_PROJECT
from jobs.webhooks.secrets import OVERLAP_SECONDS
from respool.data_folder import DEFAULT_FOLDER, DataFolder
from respool.errors import Refused
from respool.key_store import opened_keys, project_checked, secrets_of
from respool.target import Store, folder_option, json_option
from respool.visible import print_document


@click.command(name="webhook-secret")
@click.option("--project", default=DEFAULT_PROJECT, show_default=True, help="Whose webhooks it signs; made if new.")
@json_option("Print the secret and its project.")
@folder_option
def rotate_webhook_secret(project: str, as_json: bool, folder: Path | None) -> None:
    """Make a new secret that signs webhooks, and print it: this once.

    The one before it signs beside it for 24 hours, so that receivers can change over.
    """
    with opened_keys(folder) as (client, store):
        signer = fixed_signer(project, folder, store)
        if signer:
            raise Refused(signer)
        try:
            with project_checked():
                secret = secrets_of(client, store).rotate(project)
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


def fixed_signer(project: str, folder: Path | None, store: Store) -> str | None:
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
