"""The Flask application."""

from __future__ import annotations

from flask import Flask

from api import errors, headers, openapi
from api.console import blueprint as console
from api.counted import counted
from api.lingering import close_refused
from api.paced import paced
from api.services import EXTENSION, open_services
from api.trail import traced
from api.views import (
    batches,
    docs,
    events,
    file_links,
    files,
    health,
    jobs,
    lanes,
    metrics,
    models,
    projects,
    responses,
    series,
    usage,
    webhook_deliveries,
    webhook_endpoints,
    webhook_secret,
    workers,
)
from jobs.models import accounts_of, models_of
from jobs.settings import Settings
from jobs.tracing import UNTRACED, Tracer
from schemas.batch import batch_create_schema
from schemas.job import asked_request, job_create_schema


def create_app(settings: Settings, *, tracer: Tracer = UNTRACED) -> Flask:
    """The application; it connects to Redis with the first request that needs it.

    Raises SettingsError if the limits file is wrong, or leaves no model that may be named, or if files cannot be kept.
    """
    app = Flask("respool", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes + 1  # one more, to tell too long from just fitting
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the provider's own setting
    services = open_services(settings)
    app.extensions[EXTENSION] = services
    headers.register(app)
    errors.register(app)
    known = models_of(settings, services.limits)
    asked = job_create_schema(known, settings.unknown_fields, accounts=accounts_of(services.limits))
    openapi.describe(
        app,
        [
            jobs.make_blueprint(asked),
            responses.make_blueprint(asked_request(asked)),
            models.make_blueprint(known),
            lanes.make_blueprint(),
            projects.make_blueprint(),
            usage.make_blueprint(),
            series.make_blueprint(),
            workers.make_blueprint(),
            events.make_blueprint(),
            files.make_blueprint(),
            batches.make_blueprint(batch_create_schema(asked.accounts)),
            file_links.make_blueprint(),
            webhook_endpoints.make_blueprint(),
            webhook_deliveries.make_blueprint(),
            webhook_secret.make_blueprint(),
            health.make_blueprint(),
            metrics.make_blueprint(),
        ],
    )
    app.register_blueprint(docs.make_blueprint())
    app.register_blueprint(console.make_blueprint(asked, known))
    app.wsgi_app = close_refused(counted(traced(paced(app.wsgi_app), tracer), services.request_counts))  # type: ignore[assignment,method-assign]
    return app
