"""Signatures of Standard Webhooks 1.0.0: HMAC-SHA256 over id, timestamp and the very bytes that are sent."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

from jobs.webhooks.secrets import key_of


def signed_headers(event_id: str, body: bytes, *, secrets: Sequence[str], timestamp: int) -> dict[str, str]:
    """The three headers of one attempt, made at `timestamp` (Unix seconds), signed with each of `secrets` in order.

    Raises ValueError for no secret at all, and for what is none.
    """
    if not secrets:
        raise ValueError("there is no secret to sign with")
    signed = f"{event_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_signature(signed, secret) for secret in secrets),
    }


def _signature(signed: bytes, secret: str) -> str:
    digest = hmac.digest(key_of(secret), signed, hashlib.sha256)
    return "v1," + base64.b64encode(digest).decode()
