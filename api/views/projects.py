"""/v1/projects: what each project may take and has taken; admins change it."""

from __future__ import annotations

import logging
from typing import Any

from flask import Response, jsonify
from flask_smorest import Blueprint

from api import project_view
from api.auth import admins_only, authenticate, caller, scope
from api.openapi import StrictBlueprint
from api.refusal import Refusal, project_not_found
from api.services import services
from jobs.errors import ProjectNotFound
from jobs.projects import Project
from schemas.error import ErrorSchema
from schemas.project import ProjectChangeSchema, ProjectListSchema, ProjectSchema

log = logging.getLogger(__name__)


def make_blueprint() -> Blueprint:
    views = StrictBlueprint("projects", __name__, url_prefix="/v1/projects", description="Shares and budgets")
    views.before_request(authenticate)

    @views.route("", methods=["GET"])
    @views.response(200, ProjectListSchema)
    def index() -> Response:
        """List the projects: all of them for an admin key, else the key's own."""
        own = scope()
        found = services().projects.all() if own is None else [_find(own)]
        return jsonify(object="list", data=[_dump(project) for project in found])

    @views.route("/<project>", methods=["GET"])
    @views.response(200, ProjectSchema)
    def show(project: str) -> Response:
        """Look at one project."""
        if scope() not in (None, project):
            raise project_not_found(project)
        return jsonify(_dump(_find(project)))

    @views.route("/<project>", methods=["PATCH"])
    @admins_only
    @views.arguments(ProjectChangeSchema, example={"weight": 2, "tokens_per_day": 5_000_000})
    @views.response(200, ProjectSchema)
    @views.alt_response(403, schema=ErrorSchema, description="The key is no admin's.")
    def change(body: dict[str, Any], project: str) -> Response:
        """Change limits of a project, which is made if it is new; null takes one away."""
        try:
            changed = services().projects.change(project, body)
        except ValueError as error:
            raise Refusal(400, str(error), param="project", code="invalid_value") from error
        log.info("project %s set to %s by %s", project, body, caller().id)
        return jsonify(_dump(changed))

    return views


def _find(name: str) -> Project:
    """Raises ProjectNotFound; the caller's own is there even if nothing was ever kept of it."""
    try:
        return services().projects.get(name)
    except ProjectNotFound:
        if name != caller().project:
            raise
        return project_view.untouched(name)


def _dump(project: Project) -> dict[str, Any]:
    return project_view.dump(project, currency=services().limits.currency)
