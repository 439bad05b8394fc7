"""Projects and their API keys. A key is shown once and kept as a keyed hash alone."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import redis

from jobs import keys, scripts
from jobs.errors import KeyNotFound
from jobs.service_secret import kept_secret

DEFAULT_PROJECT = "default"
PROJECT_PATTERN = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}\Z")


def check_name(project: str) -> None:
    """Raises ValueError for a name that no project can have."""
    if not PROJECT_PATTERN.match(project):
        raise ValueError("a project's name is 1 to 63 of a-z, 0-9, - and _, and starts with a letter or digit")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What is known of a key. `hint` is its first and last characters; `created_at` is in seconds."""

    id: str
    project: str
    admin: bool
    hint: str
    created_at: int
    revoked_at: int | None = None


class Tenants:
    """`secret` keys the hashes; without one, the service's kept secret does. Keys made under one of `older`
    (RESPOOL_OLD_SECRETS) are valid, too."""

    def __init__(
        self, client: redis.Redis, *, secret: str, older: Sequence[str] = (), development_key: str = ""
    ) -> None:
        self._client = client
        self._secret = secret.encode()
        self._older = [text.encode() for text in older]
        self._development_key = development_key.encode()

    def create(self, *, project: str, role: str) -> tuple[str, ApiKey]:
        """A new key of `project` (made if new); `role` is 'admin' or 'member'. The key itself is in the answer alone.

        Raises ValueError for a name no project can have, StoreUnavailable.
        """
        check_name(project)
        text = "rsp_" + secrets.token_urlsafe(32)
        with scripts.translated():
            seconds, _ = self._client.time()
            key = ApiKey(
                id="key_" + secrets.token_hex(8),
                project=project,
                admin=role == "admin",
                hint=f"{text[:8]}…{text[-4:]}",
                created_at=int(seconds),
            )
            digest = self._digest(text.encode())
            with self._client.pipeline(transaction=True) as pipeline:
                pipeline.set(keys.api_key(digest), json.dumps(asdict(key)))
                pipeline.hset(keys.API_KEYS, key.id, digest)
                pipeline.sadd(keys.PROJECTS, project)
                pipeline.execute()
        return text, key

    def list(self) -> list[ApiKey]:
        """All keys, oldest first, the revoked ones too."""
        with scripts.translated():
            held: list[Any] = self._client.hvals(keys.API_KEYS)
            digests = [digest.decode() for digest in held]
            found = self._client.mget([keys.api_key(digest) for digest in digests]) if digests else []
        known = [ApiKey(**json.loads(value)) for value in found if value]
        return sorted(known, key=lambda key: (key.created_at, key.id))

    def revoke(self, key_id: str) -> ApiKey:
        """The key, no longer valid from now on. Raises KeyNotFound, StoreUnavailable."""
        with scripts.translated():
            digest: Any = self._client.hget(keys.API_KEYS, key_id)
            value = self._client.get(keys.api_key(digest.decode())) if digest else None
            if digest is None or value is None:
                raise KeyNotFound(key_id)
            key = ApiKey(**json.loads(value))
            if key.revoked_at is None:
                seconds, _ = self._client.time()
                key = replace(key, revoked_at=int(seconds))
                self._client.set(keys.api_key(digest.decode()), json.dumps(asdict(key)))
        return key

    def find(self, text: str) -> ApiKey | None:
        """The valid key that `text` is, or None. Raises StoreUnavailable."""
        given = text.encode()
        if self._development_key and hmac.compare_digest(given, self._development_key):
            return DEVELOPMENT_KEY
        with scripts.translated():
            digests = [self._digest(given), *(_keyed(secret, given) for secret in self._older)]
            found: list[Any] = self._client.mget([keys.api_key(digest) for digest in digests])
        value = next((value for value in found if value), None)
        key = ApiKey(**json.loads(value)) if value else None
        return None if key is None or key.revoked_at is not None else key

    def _digest(self, text: bytes) -> str:
        if not self._secret:
            self._secret = kept_secret(self._client)
        return _keyed(self._secret, text)


def _keyed(secret: bytes, text: bytes) -> str:
    return hmac.new(secret, text, hashlib.sha256).hexdigest()


DEVELOPMENT_KEY = ApiKey(
    id="key_development", project=DEFAULT_PROJECT, admin=False, hint="RESPOOL_API_KEY", created_at=0
)
"""Who RESPOOL_API_KEY is."""
