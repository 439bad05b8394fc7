"""The service's own secret where RESPOOL_SECRET is not set: made once, and kept beside what it protects."""

from __future__ import annotations

import secrets
from typing import Any

import redis

from jobs import keys, scripts


def kept_secret(client: redis.Redis) -> bytes:
    """The same for all processes of one Redis. Raises StoreUnavailable."""
    with scripts.translated():
        client.set(keys.SECRET, secrets.token_hex(32), nx=True)
        kept: Any = client.get(keys.SECRET)
    return bytes(kept)
