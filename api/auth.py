"""Who asks: the API key of a request, and the project that it stands for."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar, cast

from flask import g, request

from api.refusal import admin_key_required, unauthorized
from api.services import services
from api.wrong_key import refusal_of_wrong
from jobs.tenants import ApiKey

P = ParamSpec("P")
R = TypeVar("R")


def authenticate() -> None:
    """Runs before every view that needs a key. Raises a Refusal of 401, or 429."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    given = text.strip() if scheme.lower() == "bearer" else ""
    key = services().tenants.find(given) if given else None
    if key is None:
        raise refusal_of_wrong(given, unauthorized())
    g.api_key = key


def caller() -> ApiKey:
    """The key of the present request."""
    return cast(ApiKey, g.api_key)


def scope() -> str | None:
    """The project whose jobs the caller sees; None, all of them, for an admin key."""
    key = caller()
    return None if key.admin else key.project


def admins_only(view: Callable[P, R]) -> Callable[P, R]:
    """The view behind a Refusal of 403 for keys that are no admin's, before the body is looked at."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if not caller().admin:
            raise admin_key_required()
        return view(*args, **kwargs)

    return guarded
