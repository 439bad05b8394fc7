"""The door of the console: who comes in is known to the views as the API's callers are."""

from __future__ import annotations

from typing import cast

from flask import Response, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from api.console import csrf
from api.console.frames import STREAM, refused
from api.console.session import COOKIE, Session, new_session
from api.refusal import Refusal
from api.services import services

OPEN = frozenset({"console.static", "console.sign_in", "console.sign_in_form"})
MOST_BYTES_OF_NOBODY = 64 * 1024
SIGNED_OUT = "You are no longer signed in."


def enter() -> AnyResponse | None:
    """Before every request: lets in whoever signed in, and sends the others to the form."""
    if request.endpoint == "console.static":
        return None
    if _led_here():
        return Response(render_template("console/led_here.html", way=request.full_path.rstrip("?")))
    found = services().sessions.open(request.cookies.get(COOKIE, ""))
    g.session = found or new_session()
    key = services().sessions.key_of(g.session)
    if key is None:
        request.max_content_length = MOST_BYTES_OF_NOBODY
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        csrf.check(g.session)
    if key is not None:
        g.api_key = key
    elif request.endpoint not in OPEN:
        return _sent_away()
    return None


def session() -> Session:
    """That of the present request."""
    return cast(Session, g.session)


def _led_here() -> bool:
    """Whether a link of another site led here. The browser keeps the cookie back then, so a page of our own goes to
    the same address once more; were a session begun instead, it would take the place of the one that there is.
    """
    headers = request.headers
    led = headers.get("Sec-Fetch-Site") == "cross-site" and headers.get("Sec-Fetch-Mode") == "navigate"
    return led and request.method == "GET" and COOKIE not in request.cookies


def _sent_away() -> AnyResponse:
    if request.accept_mimetypes.best == STREAM:
        return refused(SIGNED_OUT)
    if request.accept_mimetypes.best == "application/json":  # for a page's script
        raise Refusal(401, f"{SIGNED_OUT} Load this page again.", code="signed_out")
    way = request.full_path.rstrip("?") if request.method == "GET" else "/"
    return redirect(url_for("console.sign_in_form", next=None if way == "/" else way), 303)


def way_back(asked: str | None) -> str:
    """Where to go after signing in: a page of the console, whatever was asked for."""
    return asked if asked and asked.startswith("/console/") and asked.isprintable() and "\\" not in asked else "/"
