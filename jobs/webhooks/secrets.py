"""The secrets that webhooks are signed with: sealed in the store, and several at a time while one is replaced."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from secrets import token_bytes
from typing import Any

import redis

from jobs import keys, scripts
from jobs.errors import EndpointNotFound, TooManySecrets, Unsealable
from jobs.tenants import check_name
from jobs.vault import Vault

PREFIX = "whsec_"
SECRET_BYTES = 32
LEAST_BYTES = 24
MOST_BYTES = 64
OVERLAP_SECONDS = 86400
"""How long a secret that was replaced still signs beside the new one."""
MOST_LIVE = 5
FIELD = "secrets"
"""Of a hash: JSON `[[sealed, until_ms], …]`; the current one first, with 0, then those that still sign until then."""


def new_secret() -> str:
    """`whsec_` and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(token_bytes(SECRET_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """The bytes that sign. Raises ValueError, which does not show the secret."""
    try:
        found = base64.b64decode(secret.removeprefix(PREFIX), validate=True) if secret.startswith(PREFIX) else b""
    except ValueError:
        found = b""
    if not LEAST_BYTES <= len(found) <= MOST_BYTES:
        raise ValueError(f"must be {PREFIX} and the base64 of {LEAST_BYTES} to {MOST_BYTES} bytes")
    return found


def check_secret(text: str) -> None:
    """Raises ValueError, which does not show the text, for what is no signing secret."""
    key_of(text)


class ProjectSecrets:
    """What signs the webhooks of jobs that name no secret of their own: one for each project."""

    def __init__(self, client: redis.Redis, vault: Vault) -> None:
        self._client = client
        self._vault = vault

    def exists(self, project: str) -> bool:
        """Raises StoreUnavailable."""
        with scripts.translated():
            return bool(self._client.hexists(keys.project(project), FIELD))

    def unreadable(self, projects: Iterable[str]) -> list[str]:
        """Those of the projects whose secret was sealed with another RESPOOL_SECRET. Raises StoreUnavailable."""
        return [project for project in projects if not self._readable(project)]

    def _readable(self, project: str) -> bool:
        with scripts.translated():
            held: Any = self._client.hget(keys.project(project), FIELD)
        try:
            for sealed, _ in json.loads(held or b"[]"):
                self._vault.open(sealed)
        except Unsealable:
            return False
        return True

    def make(self, project: str) -> str | None:
        """The first secret of the project, which is made if it is new; None if it has one already.

        Raises ValueError for a name that no project can have, StoreUnavailable.
        """
        secret = new_secret()
        return secret if self._put(project, secret, way="make") == b"put" else None

    def rotate(self, project: str) -> str:
        """A new secret of the project, which is made if it is new; those before it sign for OVERLAP_SECONDS more.

        Raises TooManySecrets, ValueError for a name that no project can have, StoreUnavailable.
        """
        secret = new_secret()
        self._put(project, secret, way="rotate")
        return secret

    def _put(self, project: str, secret: str, *, way: str) -> bytes:
        check_name(project)
        return _put(self._client, keys.project(project), self._vault.seal(secret), way=way, project=project)


def rotate_in(client: redis.Redis, key: str, vault: Vault) -> str:
    """A new secret in the hash `key` of an endpoint; those before it sign for OVERLAP_SECONDS more.

    Raises TooManySecrets, EndpointNotFound, StoreUnavailable.
    """
    secret = new_secret()
    if _put(client, key, vault.seal(secret), way="rotate", project="") == b"missing":
        raise EndpointNotFound(key.rpartition(":")[2])
    return secret


def _put(client: redis.Redis, key: str, sealed: str, *, way: str, project: str) -> bytes:
    args: list[scripts.Argument] = [sealed, OVERLAP_SECONDS * 1000, MOST_LIVE, way, project]
    answer: Any = scripts.run(client, scripts.Call(name="rotate_secret", keys=[key], args=args))
    said, wait_ms = answer
    if said == b"too_many":
        raise TooManySecrets(MOST_LIVE, retry_after_seconds=wait_ms / 1000)
    return bytes(said)
