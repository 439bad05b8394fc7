"""Whether a request that changes something comes from a page of our own."""

from __future__ import annotations

import hmac
from contextlib import suppress
from urllib.parse import urlsplit

from flask import request

from api.console.session import Session
from api.refusal import Refusal
from api.services import services
from schemas.webhook_url import same_origins

FIELD = "csrf_token"
HEADER = "X-CSRF-Token"
FORM = "application/x-www-form-urlencoded"


def check(session: Session) -> None:
    """Raises a Refusal of 403 for a request from elsewhere, or from a page of another session."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin" or not _own(request.headers.get("Origin")):
        raise Refusal(403, "This request does not come from a page of this console.", code="foreign_origin")
    # The body of an upload is not read here: it goes straight onto the disk.
    given = request.headers.get(HEADER) or (request.form.get(FIELD) if request.mimetype == FORM else None) or ""
    if not hmac.compare_digest(given.encode(), session.token.encode()):
        message = "The page is from an earlier session. Go back, load it again, and repeat what you did."
        raise Refusal(403, message, code="stale_page")


def _own(origin: str | None) -> bool:
    """Whether it is the address of this service, by which the request came or RESPOOL_PUBLIC_URL.

    The scheme is not looked at where the host is the same: a proxy may have taken https off.
    """
    if not origin:
        return False
    with suppress(ValueError):
        public = services().settings.public_url
        return urlsplit(origin).netloc == request.host or bool(public and same_origins(public) & same_origins(origin))
    return False
