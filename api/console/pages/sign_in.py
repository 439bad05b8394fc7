"""Signing in with an API key, and out."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable

from flask import Blueprint, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from api.auth import caller
from api.client_address import client_address
from api.console.door import session, way_back
from api.console.session import COOKIE, Session, new_session, set_cookie
from api.services import services
from api.wrong_key import too_many_seconds

log = logging.getLogger(__name__)
WRONG = "This is no valid API key. It begins with rsp_; with `respool up` it lies in the file .respool/api-key."
TOO_MANY = "Too many invalid keys came from your address. A valid one is let in all the same."


def register(views: Blueprint) -> None:
    @views.get("/console/sign-in")
    def sign_in_form() -> AnyResponse:
        if services().sessions.key_of(session()) is not None:
            return redirect(way_back(request.args.get("next")), 303)
        return _with(new_session(), _page)

    @views.post("/console/sign-in")
    def sign_in() -> AnyResponse:
        key = services().tenants.find(request.form.get("key", "").strip())
        g.pop("api_key", None)
        if key is None:
            return _turned_away()
        log.info("%s signed in to the console", key.id)
        way = way_back(request.form.get("next"))
        return _with(services().sessions.begin(key.id), lambda: redirect(way, 303), status=303)

    @views.post("/console/sign-out")
    def sign_out() -> AnyResponse:
        everywhere = request.form.get("where") == "everywhere"
        (services().sessions.end_all if everywhere else services().sessions.end)(session())
        log.info("%s signed out of the console%s", caller().id, " everywhere" if everywhere else "")
        answer = redirect(url_for("console.sign_in_form"), 303)
        answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="Strict")
        return answer


def _turned_away() -> AnyResponse:
    log.warning("somebody at %s tried to sign in to the console with what is no valid key", client_address())
    seconds = too_many_seconds()
    if seconds is None:
        return _with(new_session(), lambda: _page(WRONG), status=401)
    answer = _with(new_session(), lambda: _page(TOO_MANY), status=429)
    answer.headers["Retry-After"] = str(math.ceil(seconds))
    return answer


def _page(mistake: str | None = None) -> str:
    way = way_back(request.values.get("next"))
    return render_template("console/sign_in.html", mistake=mistake, way=way)


def _with(begun: Session, draw: Callable[[], str | AnyResponse], *, status: int = 200) -> AnyResponse:
    """What is drawn in the session that begins, and the cookie of that."""
    g.session = begun
    answer = make_response(draw(), status)
    set_cookie(answer, services().sessions.seal(begun))
    return answer
