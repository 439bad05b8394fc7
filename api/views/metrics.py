"""/metrics: for Prometheus."""

from __future__ import annotations

import hmac

from flask import Response, request
from flask_smorest import Blueprint
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from api.metrics_text import exposed
from api.openapi import StrictBlueprint
from api.refusal import metrics_token_required
from api.services import services
from api.wrong_key import refusal_of_wrong


def make_blueprint() -> Blueprint:
    views = StrictBlueprint("metrics", __name__, description="How it does, in numbers")
    views.before_request(_check)

    @views.route("/metrics", methods=["GET"])
    @views.response(200, {"type": "string"}, content_type="text/plain")
    @views.doc(security=[])
    def show() -> Response:
        """Read all metrics, in the text format of Prometheus."""
        return Response(exposed(services().metrics.read()), content_type=CONTENT_TYPE_PLAIN_0_0_4)

    return views


def _check() -> None:
    """Raises a Refusal of 401, or 429, where RESPOOL_METRICS_TOKEN is set and the request does not bear it."""
    wanted = services().settings.metrics_token
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    given = token.strip() if scheme.lower() == "bearer" else ""
    if wanted and not hmac.compare_digest(given.encode(), wanted.encode()):
        raise refusal_of_wrong(given, metrics_token_required())
