"""/v1/webhook_endpoints: a project's receivers of its events."""

from __future__ import annotations

import logging
from typing import Any, cast

from flask import Response, jsonify
from flask_smorest import Blueprint

from api import webhook_view
from api.auth import authenticate, caller, scope
from api.delivery_pages import delivery_page
from api.openapi import StrictBlueprint
from api.queries import DeliveryQuery
from api.refusal import endpoint_not_found
from api.services import services
from api.webhook_body import url_of
from jobs.webhooks.endpoint_record import EndpointChange, is_endpoint_id
from schemas.delivery import DeliveryListSchema, DeliverySchema
from schemas.error import ErrorSchema
from schemas.webhook_endpoint import (
    EndpointSecretSchema,
    NewWebhookEndpointSchema,
    WebhookEndpointChangeSchema,
    WebhookEndpointCreateSchema,
    WebhookEndpointListSchema,
    WebhookEndpointSchema,
    WebhookTestSchema,
)

log = logging.getLogger(__name__)

EXAMPLE = {
    "url": "https://example.com/hooks/respool",
    "events": ["response.completed", "response.failed"],
    "description": "the film catalogue",
}
TEST_TYPE = "response.completed"


def make_blueprint() -> Blueprint:
    views = StrictBlueprint(
        "webhook_endpoints", __name__, url_prefix="/v1/webhook_endpoints", description="Receivers of events"
    )
    views.before_request(authenticate)
    not_found = views.alt_response(404, schema=ErrorSchema, description="No such webhook endpoint for this key.")

    @views.route("", methods=["POST"])
    @views.arguments(WebhookEndpointCreateSchema, example=EXAMPLE)
    @views.response(201, NewWebhookEndpointSchema)
    def create(body: dict[str, Any]) -> Response:
        """Register a receiver of the project's events; its secret is in this answer alone."""
        secret, endpoint = services().webhook_endpoints.create(
            caller().project,
            url=url_of(body["url"]),
            events=body.get("events"),
            include=body.get("include", "id"),
            description=body.get("description", ""),
        )
        log.info("webhook endpoint %s of project %s made by %s", endpoint.id, endpoint.project, caller().id)
        answer = jsonify(webhook_view.dump_endpoint(endpoint) | {"secret": secret})
        answer.status_code = 201
        return answer

    @views.route("", methods=["GET"])
    @views.response(200, WebhookEndpointListSchema)
    def index() -> Response:
        """List the webhook endpoints: the project's, or all for an admin key."""
        found = services().webhook_endpoints.all(scope())
        return jsonify(object="list", data=[webhook_view.dump_endpoint(endpoint) for endpoint in found])

    @views.route("/<endpoint_id>", methods=["GET"])
    @views.response(200, WebhookEndpointSchema)
    @not_found
    def show(endpoint_id: str) -> Response:
        """Look at one webhook endpoint."""
        endpoint = services().webhook_endpoints.get(_checked(endpoint_id), project=scope())
        return jsonify(webhook_view.dump_endpoint(endpoint))

    @views.route("/<endpoint_id>", methods=["PATCH"])
    @views.arguments(WebhookEndpointChangeSchema, example={"status": "enabled"})
    @views.response(200, WebhookEndpointSchema)
    @not_found
    def change(body: dict[str, Any], endpoint_id: str) -> Response:
        """Change a webhook endpoint; disabling it cancels what it is owed."""
        services().webhook_endpoints.get(_checked(endpoint_id), project=scope())
        changed = services().webhook_endpoints.change(endpoint_id, _change(body), project=scope())
        log.info("webhook endpoint %s: %s changed by %s", endpoint_id, ", ".join(body), caller().id)
        return jsonify(webhook_view.dump_endpoint(changed))

    @views.route("/<endpoint_id>", methods=["DELETE"])
    @views.response(200)
    @not_found
    def delete(endpoint_id: str) -> Response:
        """Forget a webhook endpoint; what it is owed is cancelled."""
        services().webhook_endpoints.delete(_checked(endpoint_id), project=scope())
        log.info("webhook endpoint %s deleted by %s", endpoint_id, caller().id)
        return jsonify(id=endpoint_id, object="webhook_endpoint", deleted=True)

    @views.route("/<endpoint_id>/rotate_secret", methods=["POST"])
    @views.response(200, EndpointSecretSchema)
    @views.alt_response(429, schema=ErrorSchema, description="Too many secrets sign at present.")
    @not_found
    def rotate(endpoint_id: str) -> Response:
        """Make a new signing secret; the one before signs beside it for 24 hours."""
        secret = services().webhook_endpoints.rotate(_checked(endpoint_id), project=scope())
        log.info("signing secret of webhook endpoint %s made anew by %s", endpoint_id, caller().id)
        return jsonify(object="webhook_secret", endpoint_id=endpoint_id, secret=secret)

    @views.route("/<endpoint_id>/test", methods=["POST"])
    @views.arguments(WebhookTestSchema, required=False, example={"type": TEST_TYPE})
    @views.response(202, DeliverySchema)
    @not_found
    def test(body: dict[str, Any], endpoint_id: str) -> Response:
        """Send an event of no job to this endpoint alone, marked by `data.respool.test`."""
        endpoints, kind = services().webhook_endpoints, body.get("type", TEST_TYPE)
        number = endpoints.test(_checked(endpoint_id), project=scope(), type=kind)
        answer = jsonify(webhook_view.dump_delivery(services().webhook_deliveries.get(number, project=scope())))
        answer.status_code = 202
        return answer

    @views.route("/<endpoint_id>/deliveries", methods=["GET"])
    @views.arguments(DeliveryQuery, location="query")
    @views.response(200, DeliveryListSchema)
    @not_found
    def deliveries(query: dict[str, Any], endpoint_id: str) -> Response:
        """List what the endpoint is or was owed, newest first."""
        services().webhook_endpoints.get(_checked(endpoint_id), project=scope())
        return delivery_page(query, endpoint=endpoint_id)

    return views


def _checked(endpoint_id: str) -> str:
    """Raises Refusal for what cannot be the id of an endpoint."""
    if not is_endpoint_id(endpoint_id):
        raise endpoint_not_found(endpoint_id)
    return endpoint_id


def _change(body: dict[str, Any]) -> EndpointChange:
    """What a WebhookEndpointChangeSchema asks for. Raises ValidationError for an address that is refused."""
    own = {"url": url_of(body["url"])} if "url" in body else {}
    return cast("EndpointChange", body | own)
