"""The Flask application."""

from __future__ import annotations

from flask import Flask

from api import errors, headers, openapi
from api.lingering import close_refused
from api.services import EXTENSION, open_services
from api.views import docs, health, jobs, usage
from jobs.settings import Settings
from schemas.request import DEFAULT_MODELS


def create_app(settings: Settings) -> Flask:
    """The application; it connects to Redis with the first request that needs it."""
    app = Flask("respool", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes + 1  # one more, to tell too long from just fitting
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the provider's own setting
    app.extensions[EXTENSION] = open_services(settings)
    headers.register(app)
    errors.register(app)
    openapi.describe(
        app,
        [
            jobs.make_blueprint(_models(settings), settings.unknown_fields),
            usage.make_blueprint(),
            health.make_blueprint(),
        ],
    )
    app.register_blueprint(docs.make_blueprint())
    app.wsgi_app = close_refused(app.wsgi_app)  # type: ignore[assignment,method-assign]
    return app


def _models(settings: Settings) -> frozenset[str] | None:
    """The models that may be named; None for any."""
    return None if "*" in settings.models else frozenset(settings.models or DEFAULT_MODELS)
