"""/v1/webhook_deliveries: what became of each event that was owed to a receiver; once more, if that failed."""

from __future__ import annotations

import logging
from typing import Any

from flask import Response, jsonify
from flask_smorest import Blueprint

from api import webhook_view
from api.auth import authenticate, caller, scope
from api.delivery_pages import delivery_page
from api.openapi import StrictBlueprint
from api.queries import DeliveryListQuery
from api.refusal import delivery_not_found, endpoint_not_found
from api.services import services
from jobs.record import number_of
from jobs.webhooks.delivery_record import DELIVERY_PREFIX
from jobs.webhooks.endpoint_record import is_endpoint_id
from schemas.delivery import DeliveryListSchema, DeliverySchema, ReplayedSchema, ReplaySchema
from schemas.error import ErrorSchema

log = logging.getLogger(__name__)


def make_blueprint() -> Blueprint:
    views = StrictBlueprint(
        "webhook_deliveries", __name__, url_prefix="/v1/webhook_deliveries", description="Deliveries of events"
    )
    views.before_request(authenticate)
    not_found = views.alt_response(404, schema=ErrorSchema, description="No such delivery or endpoint for this key.")

    @views.route("", methods=["GET"])
    @views.arguments(DeliveryListQuery, location="query")
    @views.response(200, DeliveryListSchema)
    @not_found
    def index(query: dict[str, Any]) -> Response:
        """List deliveries, newest first; `status=dead` are those that were given up."""
        return delivery_page(query, endpoint=_endpoint(query.get("endpoint_id")))

    @views.route("/replay", methods=["POST"])
    @views.arguments(ReplaySchema, example={"since": 1795395600})
    @views.response(202, ReplayedSchema)
    @not_found
    def replay_all(body: dict[str, Any]) -> Response:
        """Deliver once more all that was given up since a time; 10,000 at a call."""
        endpoint, since = _endpoint(body.get("endpoint_id")), body["since"]
        replayed, has_more = services().webhook_replays.replay_failed(scope(), since=since, endpoint=endpoint)
        log.info("%d deliveries since %s replayed by %s", replayed, since, caller().id)
        answer = jsonify(object="webhook_replay", replayed=replayed, has_more=has_more)
        answer.status_code = 202
        return answer

    @views.route("/<delivery_id>", methods=["GET"])
    @views.response(200, DeliverySchema)
    @not_found
    def show(delivery_id: str) -> Response:
        """Look at one delivery and its attempts."""
        delivery = services().webhook_deliveries.get(_number(delivery_id), project=scope())
        return jsonify(webhook_view.dump_delivery(delivery))

    @views.route("/<delivery_id>/replay", methods=["POST"])
    @views.response(202, DeliverySchema)
    @not_found
    def replay(delivery_id: str) -> Response:
        """Deliver the event once more, with a schedule of its own; the webhook-id stays."""
        delivery = services().webhook_replays.replay(_number(delivery_id), project=scope())
        log.info("delivery %s replayed by %s", delivery.id, caller().id)
        answer = jsonify(webhook_view.dump_delivery(delivery))
        answer.status_code = 202
        return answer

    return views


def _number(delivery_id: str) -> str:
    number = number_of(delivery_id, DELIVERY_PREFIX)
    if number is None:
        raise delivery_not_found(delivery_id)
    return number


def _endpoint(endpoint_id: str | None) -> str | None:
    """Raises Refusal for what cannot be the id of an endpoint; one that was deleted may have deliveries still."""
    if endpoint_id is not None and not is_endpoint_id(endpoint_id):
        raise endpoint_not_found(endpoint_id)
    return endpoint_id
