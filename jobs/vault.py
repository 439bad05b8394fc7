"""Seals what must be kept but not be readable in Redis alone: the secrets that sign webhooks, and their URLs."""

from __future__ import annotations

import base64

import redis
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from jobs.errors import Unsealable
from jobs.service_secret import kept_secret

PURPOSE = b"respool: seals the secrets of webhooks"


class Vault:
    """`secret` is RESPOOL_SECRET; without one, the service's kept secret takes its place."""

    def __init__(self, client: redis.Redis, *, secret: str) -> None:
        self._client = client
        self._secret = secret.encode()
        self._fernet: Fernet | None = None

    def seal(self, text: str) -> str:
        """ASCII, another at each call. Raises StoreUnavailable."""
        return self._opened().encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """What was sealed. Raises Unsealable, StoreUnavailable."""
        try:
            return self._opened().decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise Unsealable("it was sealed with another RESPOOL_SECRET, or is damaged") from error

    def _opened(self) -> Fernet:
        if self._fernet is None:
            key = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(
                self._secret or kept_secret(self._client)
            )
            self._fernet = Fernet(base64.urlsafe_b64encode(key))
        return self._fernet
