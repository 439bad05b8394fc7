"""What a backup says of itself, and by which it is known whether it is whole."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass, fields
from typing import Any

from respool.errors import Refused

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """`taken_at` in seconds, when Redis was copied.

    `secret` tells whether a RESPOOL_SECRET is the one of then, as `SALT:SCRYPT`, hexadecimal; empty: none was set, and
    what takes its place lies in Redis.
    """

    release: str
    taken_at: float
    server: str
    redis_bytes: int
    redis_sha256: str
    files: int
    files_bytes: int
    secret: str = ""
    format: int = FORMAT

    def told(self) -> dict[str, Any]:
        """For whoever runs the command: whether there was a secret, and nothing by which one could be tried."""
        return asdict(self) | {"secret": bool(self.secret)}

    def text(self) -> str:
        return json.dumps(asdict(self), indent=2) + "\n"


FIELDS = tuple(field.name for field in fields(Manifest))


def read_manifest(text: str) -> Manifest:
    """What it says beyond what is known here is passed over: a newer release may say more within the same format.

    Raises ValueError if it is none; Refused if it is of a format that is not known, or lacks a field.
    """
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("no object")
    if found.get("format") != FORMAT:
        raise Refused("the backup is of a format that this release does not know")
    if missing := [name for name in FIELDS if name not in found]:
        raise Refused(f"the backup does not say of itself: {', '.join(missing)}")
    return Manifest(**{name: found[name] for name in FIELDS})


def check_of(secret: str, salt: str = "") -> str:
    """What tells the secret again, and does not tell it; slow, since a backup may come into strange hands."""
    if not secret:
        return ""
    salt = salt or secrets.token_hex(16)
    return f"{salt}:{hashlib.scrypt(secret.encode(), salt=bytes.fromhex(salt), n=2**14, r=8, p=1).hex()}"


def is_secret(manifest: Manifest, secret: str) -> bool:
    return hmac.compare_digest(check_of(secret, manifest.secret.partition(":")[0]), manifest.secret)
