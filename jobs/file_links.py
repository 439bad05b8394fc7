"""Links to files that need no key: signed, for one file, until a certain time."""

from __future__ import annotations

import hashlib
import hmac
import time

import redis

from jobs.service_secret import kept_secret

PURPOSE = b"respool: signs the links of files"


class FileLinks:
    """`secret` is RESPOOL_SECRET; without one, the service's kept secret takes its place."""

    def __init__(self, client: redis.Redis, *, secret: str, public_url: str) -> None:
        self._client = client
        self._secret = secret.encode()
        self._public_url = public_url
        self._key = b""

    def link(self, file_id: str, *, seconds: float) -> str:
        """A URL under RESPOOL_PUBLIC_URL by which the file can be had for so long. Raises StoreUnavailable."""
        expires = int(time.time() + seconds)
        signature = self._signature(file_id, expires)
        return f"{self._public_url}/v1/files/{file_id}/signed?expires={expires}&signature={signature}"

    def admits(self, file_id: str, *, expires: int, signature: str) -> bool:
        """Whether the link was made here for this file and is still good. Raises StoreUnavailable."""
        same = hmac.compare_digest(self._signature(file_id, expires).encode(), signature.encode())
        return same and expires > time.time()

    def _signature(self, file_id: str, expires: int) -> str:
        if not self._key:
            self._key = hmac.new(self._secret or kept_secret(self._client), PURPOSE, hashlib.sha256).digest()
        return hmac.new(self._key, f"{file_id}\n{expires}".encode(), hashlib.sha256).hexdigest()
