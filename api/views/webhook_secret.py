"""/v1/webhook_secret: what signs the webhooks of a project's jobs that name no secret of their own."""

from __future__ import annotations

import logging

from flask import Response, jsonify
from flask_smorest import Blueprint

from api.auth import authenticate, caller
from api.openapi import StrictBlueprint
from api.refusal import Refusal
from api.services import services
from api.webhook_body import has_set_secret
from schemas.error import ErrorSchema
from schemas.webhook_endpoint import ProjectSecretSchema

log = logging.getLogger(__name__)


def make_blueprint() -> Blueprint:
    views = StrictBlueprint("webhook_secret", __name__, url_prefix="/v1/webhook_secret", description="What signs")
    views.before_request(authenticate)

    @views.route("/rotate", methods=["POST"])
    @views.response(200, ProjectSecretSchema)
    @views.alt_response(429, schema=ErrorSchema, description="Too many secrets sign at present.")
    def rotate() -> Response:
        """Make the signing secret of the key's own project, or a new one; the one before signs for 24 hours more."""
        project = caller().project
        if has_set_secret(project):
            message = f"The secret of project {project} comes from RESPOOL_WEBHOOK_SECRET; it is changed there."
            raise Refusal(400, message, code="secret_is_set")
        secret = services().webhook_secrets.rotate(project)
        log.info("signing secret of project %s made anew by %s", project, caller().id)
        return jsonify(object="webhook_secret", project=project, secret=secret)

    return views
