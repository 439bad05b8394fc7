"""/v1/events: the feed of a project's events, for whoever asks rather than being called."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from flask_smorest import Blueprint

from api.auth import authenticate, caller, scope
from api.openapi import StrictBlueprint
from api.queries import EventQuery
from api.refusal import project_not_found
from api.services import services
from schemas.error import ErrorSchema
from schemas.event import EventListSchema


def make_blueprint() -> Blueprint:
    views = StrictBlueprint("events", __name__, url_prefix="/v1/events", description="The feed of events")
    views.before_request(authenticate)

    @views.route("", methods=["GET"])
    @views.arguments(EventQuery, location="query")
    @views.response(200, EventListSchema)
    @views.alt_response(404, schema=ErrorSchema, description="No such project for this key.")
    @views.alt_response(410, schema=ErrorSchema, description="The cursor is older than the feed.")
    def index(query: dict[str, Any]) -> Response:
        """List events, oldest first, as webhooks carry them."""
        page = services().events.page(_project(query.get("project")), after=query.get("after"), limit=query["limit"])
        return jsonify(object="list", data=page.events, cursor=page.cursor, has_more=page.has_more)

    return views


def _project(asked: str | None) -> str:
    """Raises Refusal, ProjectNotFound."""
    if asked is None or asked == caller().project:
        return caller().project
    if scope() is not None:
        raise project_not_found(asked)
    return services().projects.get(asked).name
