"""Where API keys and signing secrets are kept, for the commands that go straight to Redis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import redis

from jobs.tenants import Tenants
from jobs.vault import Vault
from jobs.webhooks.secrets import ProjectSecrets
from respool.errors import Refused
from respool.store_client import opened_store
from respool.target import Store, over_http


@contextmanager
def opened_keys(folder: Path | None) -> Iterator[tuple[redis.Redis, Store]]:
    """As `opened_store`. Raises Refused where that would lead to another service than all other commands speak to."""
    if over_http(url=None, folder=folder):
        raise Refused("RESPOOL_URL names a service whose Redis is not known here; set RESPOOL_REDIS_URL, or use --data")
    with opened_store(folder) as opened:
        yield opened


@contextmanager
def project_checked() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--project") from error


def tenants_of(client: redis.Redis, store: Store) -> Tenants:
    return Tenants(client, secret=store.secret, older=store.old_secrets)


def secrets_of(client: redis.Redis, store: Store) -> ProjectSecrets:
    return ProjectSecrets(client, Vault(client, secret=store.secret, older=store.old_secrets))
