"""The sandbox as a Flask app."""

import uuid

from flask import Flask, Response, jsonify
from werkzeug.exceptions import HTTPException

from sandbox.desk import Desk
from sandbox.errors import Refused
from sandbox.settings import SandboxSettings
from sandbox.views.by_id import by_id
from sandbox.views.control import control
from sandbox.views.door import http_error, refused
from sandbox.views.records import records
from sandbox.views.responses import endpoint

BASES = ("/v1", "/api/v3")  # the path before /responses: the gateway's and the provider's own


def create_app(*, settings: SandboxSettings) -> Flask:
    """A sandbox with nothing seen yet. It keeps its records in memory, so it must run as one process."""
    app = Flask("sandbox")
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.extensions["sandbox"] = Desk(settings=settings)
    for base in BASES:
        name = base.replace("/", "_")
        app.register_blueprint(endpoint, url_prefix=base, name=f"endpoint{name}")
        app.register_blueprint(by_id, url_prefix=base, name=f"by_id{name}")
    app.register_blueprint(records)
    app.register_blueprint(control)
    app.add_url_rule("/healthz", view_func=_healthz)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Refused, refused)
    app.after_request(_with_request_id)
    return app


def _healthz() -> Response:
    return jsonify({"status": "ok"})


def _with_request_id(response: Response) -> Response:
    response.headers.setdefault("x-request-id", f"req_{uuid.uuid4().hex}")
    return response
