"""The door of the console: who comes in is known to the views as the API's callers are."""

from __future__ import annotations

from typing import cast

from flask import Response, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from api.console import csrf
from api.console.session import COOKIE, Session, new_session
from api.services import services

OPEN = frozenset({"console.static", "console.sign_in", "console.sign_in_form"})
STREAMS = "text/event-stream"


def enter() -> AnyResponse | None:
    """Before every request: lets in whoever signed in, and sends the others to the form."""
    if request.endpoint == "console.static":
        return None
    found = services().sessions.open(request.cookies.get(COOKIE, ""))
    g.session = found or new_session()
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        csrf.check(g.session)
    key = services().sessions.key_of(g.session)
    if key is not None:
        g.api_key = key
    elif request.endpoint not in OPEN:
        return _sent_away()
    return None


def session() -> Session:
    """That of the present request."""
    return cast(Session, g.session)


def _sent_away() -> AnyResponse:
    """A stream that is told 204 is not asked for again by the browser."""
    if request.accept_mimetypes.best == STREAMS:
        return Response(status=204)
    way = request.full_path.rstrip("?") if request.method == "GET" else "/"
    return redirect(url_for("console.sign_in_form", next=None if way == "/" else way), 303)


def way_back(asked: str | None) -> str:
    """Where to go after signing in: a page of the console, whatever was asked for."""
    return asked if asked and asked.startswith("/console/") and asked.isprintable() and "\\" not in asked else "/"
