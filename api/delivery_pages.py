"""Pages of deliveries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, jsonify

from api import webhook_view
from api.auth import scope
from api.services import services
from jobs.errors import CursorNotFound
from jobs.record import number_of
from jobs.webhooks.delivery_record import DELIVERY_PREFIX


def delivery_page(query: Mapping[str, Any], *, endpoint: str | None) -> Response:
    """What a DeliveryQuery asks for. Raises CursorNotFound, StoreUnavailable."""
    page = services().webhook_deliveries.page(
        scope(),
        endpoint=endpoint,
        status=query.get("status"),
        limit=query["limit"],
        after=_cursor(query["after"]) if "after" in query else None,
    )
    ids = [delivery.id for delivery in page.deliveries]
    return jsonify(
        object="list",
        data=webhook_view.dump_deliveries(page.deliveries),
        first_id=ids[0] if ids else None,
        last_id=DELIVERY_PREFIX + page.last if page.last else None,
        has_more=page.has_more,
    )


def _cursor(delivery_id: str) -> str:
    number = number_of(delivery_id, DELIVERY_PREFIX)
    if number is None:
        raise CursorNotFound(delivery_id)
    return number
