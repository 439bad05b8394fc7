"""The console as one blueprint: its pages, its door, and its errors as pages."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, g, jsonify, make_response, render_template, request
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException, NotFound

from api.auth import scope
from api.console import charts, door, frames, notes, policy, words
from api.console.pages import batch, batches, files, job, jobs, overview, projects, sign_in, submit, webhooks
from api.refusal import Refusal
from api.services import services
from api.store_errors import refusal_of
from jobs import errors as store
from schemas.batch import batch_create_schema
from schemas.job import JobCreateSchema

log = logging.getLogger(__name__)


def make_blueprint(asked: JobCreateSchema, models: frozenset[str] | None) -> Blueprint:
    """`asked` judges submits; `models` are those that may be named (None: any)."""
    views = Blueprint(
        "console", __name__, template_folder="templates", static_folder="static", static_url_path="/console/static"
    )
    views.before_request(door.enter)
    views.after_request(policy.protect)
    views.after_request(notes.hand_over)
    views.context_processor(_known)
    for page in (sign_in, overview, jobs, job, batch, webhooks, files, projects):
        page.register(views)
    submit.register(views, asked, models)
    batches.register(views, batch_create_schema(asked.accounts))
    _handle_errors(views)

    @views.get("/console/<path:rest>")
    def nowhere(rest: str) -> str:
        raise NotFound(f"There is no page /console/{rest[:100]}.")

    return views


def _known() -> dict[str, Any]:
    """What every page may use."""
    key = g.get("api_key")
    return {
        "key": key,
        "admin": key is not None and scope() is None,
        "token": g.get("token_shown") or (g.session.token if "session" in g else ""),
        "noted": notes.noted,
        "currency": services().limits.currency,
        "charts_box": f"0 0 {charts.WIDTH:g} {charts.HEIGHT:g}",
        **{name: getattr(words, name) for name in ("when", "iso", "lasting", "count", "money", "size", "spoken")},
    }


def _handle_errors(views: Blueprint) -> None:
    @views.errorhandler(Refusal)
    def refused(error: Refusal) -> Response:
        return _page(error.status, str(error.body["error"]["message"]), error.headers)  # type: ignore[index]

    @views.errorhandler(store.StoreError)
    def store_error(error: store.StoreError) -> Response:
        if isinstance(error, store.KeyNotFound):
            return _page(404, "There is no such key.")
        if isinstance(error, store.StoreUnavailable):
            log.warning("%s", error)
        return refused(refusal_of(error))

    @views.errorhandler(ValidationError)
    def invalid(error: ValidationError) -> Response:
        return _page(400, str(error))

    @views.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        return _page(error.code or 500, error.description or error.name)


def _page(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    if request.accept_mimetypes.best == frames.STREAM and status < 500:
        return frames.refused(message)
    if request.accept_mimetypes.best == "application/json":  # for a page's script
        answer = make_response(jsonify(error={"message": message}), status)
    else:
        answer = make_response(render_template("console/error.html", status=status, message=message), status)
    answer.headers.update({name: value for name, value in (headers or {}).items() if name != "WWW-Authenticate"})
    return answer
