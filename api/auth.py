"""Who asks: the API key of a request, and the project that it stands for."""

from __future__ import annotations

from typing import cast

from flask import g, request

from api.errors import unauthorized
from api.services import services
from jobs.tenants import ApiKey


def authenticate() -> None:
    """Runs before every view that needs a key. Raises a Refusal of 401."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    key = services().tenants.find(text.strip()) if scheme.lower() == "bearer" and text.strip() else None
    if key is None:
        raise unauthorized()
    g.api_key = key


def caller() -> ApiKey:
    """The key of the present request."""
    return cast(ApiKey, g.api_key)


def scope() -> str | None:
    """The project whose jobs the caller sees; None, all of them, for an admin key."""
    key = caller()
    return None if key.admin else key.project
