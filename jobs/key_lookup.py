"""API keys by their ids, for those who proved once that they hold one."""

from __future__ import annotations

import json
from typing import Any

import redis

from jobs import keys, scripts
from jobs.tenants import DEVELOPMENT_KEY, ApiKey


class KeyLookup:
    """`development_key` is RESPOOL_API_KEY; without one, its id is none."""

    def __init__(self, client: redis.Redis, *, development_key: str = "") -> None:
        self._client = client
        self._development = bool(development_key)

    def valid(self, key_id: str) -> ApiKey | None:
        """The key of that id, or None if there is none or it was revoked. Raises StoreUnavailable."""
        if key_id == DEVELOPMENT_KEY.id:
            return DEVELOPMENT_KEY if self._development else None
        with scripts.translated():
            digest: Any = self._client.hget(keys.API_KEYS, key_id)
            value = self._client.get(keys.api_key(digest.decode())) if digest else None
        key = ApiKey(**json.loads(value)) if value else None
        return None if key is None or key.revoked_at is not None else key
