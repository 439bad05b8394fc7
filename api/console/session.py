"""Who is signed in to the console: a signed cookie that names an API key and never holds it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

import redis
from flask import Response, request
from itsdangerous import BadData, URLSafeTimedSerializer

from jobs.key_lookup import KeyLookup
from jobs.service_secret import kept_secret
from jobs.sign_outs import SignOuts
from jobs.tenants import ApiKey

COOKIE = "respool_session"
LIFE_SECONDS = 12 * 3600
PURPOSE = b"respool: signs sessions of the console"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """`key_id` is "" before somebody signed in; `token` is what forms must bring along; `begun` is in milliseconds."""

    key_id: str
    token: str
    begun: int

    @property
    def name(self) -> str:
        """What it may be known by elsewhere."""
        return hashlib.sha256(self.token.encode()).hexdigest()[:32]


def new_session(key_id: str = "", *, begun: int = 0) -> Session:
    return Session(key_id=key_id, token=secrets.token_urlsafe(24), begun=begun)


class Sessions:
    """`secret` is RESPOOL_SECRET; without one, the service's kept secret signs. Another `development_key` (that is
    RESPOOL_API_KEY) ends all sessions."""

    def __init__(self, client: redis.Redis, *, secret: str, development_key: str = "") -> None:
        self._client = client
        self._secret = secret.encode()
        self._development_key = development_key.encode()
        self._keys = KeyLookup(client, development_key=development_key)
        self._sign_outs = SignOuts(client, life_seconds=LIFE_SECONDS)
        self._serializer: URLSafeTimedSerializer | None = None

    def begin(self, key_id: str) -> Session:
        """One that begins now. Raises StoreUnavailable."""
        return new_session(key_id, begun=self._sign_outs.now())

    def end(self, session: Session) -> None:
        """Whoever else may have its cookie is no longer signed in by it, either. Raises StoreUnavailable."""
        self._sign_outs.end(session.name)

    def end_all(self, session: Session) -> None:
        """Of all that were begun with the same key. Raises StoreUnavailable."""
        self._sign_outs.end(session.key_id)

    def seal(self, session: Session) -> str:
        """Raises StoreUnavailable."""
        return str(self._signer().dumps([session.key_id, session.token, session.begun]))

    def open(self, sealed: str) -> Session | None:
        """None for what is not ours, was changed, or is older than LIFE_SECONDS. Raises StoreUnavailable."""
        try:
            key_id, token, begun = self._signer().loads(sealed, max_age=LIFE_SECONDS)
        except (BadData, ValueError, TypeError):
            return None
        return Session(key_id=key_id, token=token, begun=begun)

    def key_of(self, session: Session) -> ApiKey | None:
        """The key that signed in, if it still is valid and nobody signed out. Raises StoreUnavailable."""
        key = self._keys.valid(session.key_id) if session.key_id else None
        over = key is not None and self._sign_outs.ended(session.name, session.key_id, begun=session.begun)
        return None if over else key

    def seal_text(self, text: str) -> str:
        """Raises StoreUnavailable."""
        return str(self._signer().dumps(text, salt=b"note"))

    def open_text(self, sealed: str, *, life_seconds: float) -> str | None:
        """None for what `seal_text` did not give, or not so lately. Raises StoreUnavailable."""
        try:
            text = self._signer().loads(sealed, max_age=int(life_seconds), salt=b"note")
        except (BadData, ValueError, TypeError):
            return None
        return text if isinstance(text, str) else None

    def _signer(self) -> URLSafeTimedSerializer:
        if self._serializer is None:
            base = self._secret or kept_secret(self._client)
            key = hmac.new(base, PURPOSE + self._development_key, hashlib.sha256).digest()
            options = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
            self._serializer = URLSafeTimedSerializer(key, salt="console", signer_kwargs=options)
        return self._serializer


def set_cookie(answer: Response, sealed: str) -> None:
    """For this host and by this browser's own pages alone; by https alone where the request came so."""
    forwarded = request.headers.get("X-Forwarded-Proto", "").partition(",")[0].strip().lower()
    secure = request.is_secure or forwarded == "https"
    answer.set_cookie(COOKIE, sealed, max_age=LIFE_SECONDS, secure=secure, httponly=True, samesite="Strict", path="/")
