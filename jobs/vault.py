"""Seals what must be kept but not be readable in Redis alone: the secrets that sign webhooks, and their URLs."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import redis
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from jobs.errors import Unsealable
from jobs.service_secret import kept_secret

PURPOSE = b"respool: seals the secrets of webhooks"


class Vault:
    """`secret` is RESPOOL_SECRET; without one, the service's kept secret takes its place. What one of `older`
    (RESPOOL_OLD_SECRETS) has sealed is opened, too."""

    def __init__(self, client: redis.Redis, *, secret: str, older: Sequence[str] = ()) -> None:
        self._client = client
        self._secret = secret.encode()
        self._older = older
        self._fernet: MultiFernet | None = None

    def seal(self, text: str) -> str:
        """ASCII, another at each call. Raises StoreUnavailable."""
        return self._opened().encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """What was sealed. Raises Unsealable, StoreUnavailable."""
        try:
            return self._opened().decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise Unsealable("it was sealed with another RESPOOL_SECRET, or is damaged") from error

    def _opened(self) -> MultiFernet:
        """The first seals, all open."""
        if self._fernet is None:
            own = self._secret or kept_secret(self._client)
            self._fernet = MultiFernet([_fernet(secret) for secret in (own, *(text.encode() for text in self._older))])
        return self._fernet


def _fernet(secret: bytes) -> Fernet:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(secret)
    return Fernet(base64.urlsafe_b64encode(key))
