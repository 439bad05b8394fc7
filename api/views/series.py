"""/v1/series: figures over time."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Response, jsonify
from flask_smorest import Blueprint

from api.auth import authenticate, scope
from api.openapi import StrictBlueprint
from api.queries import SeriesQuery
from api.refusal import Refusal
from api.services import services
from jobs.series import MOST_POINTS, STEP_SECONDS, Point
from schemas.series import SeriesSchema

DEFAULT_STEPS = 60


def make_blueprint() -> Blueprint:
    views = StrictBlueprint("series", __name__, url_prefix="/v1/series", description="Figures over time")
    views.before_request(authenticate)

    @views.route("", methods=["GET"])
    @views.arguments(SeriesQuery, location="query")
    @views.response(200, SeriesSchema)
    def index(query: dict[str, Any]) -> Response:
        """List how many jobs came and ended, and how long they waited and ran, by minute or hour, oldest first."""
        points = services().series.points(scope(), *_span(query), step=query["step"])
        return jsonify(object="list", step=query["step"], data=[_dump(point) for point in points])

    return views


def _span(query: dict[str, Any]) -> tuple[float, float]:
    """Raises a Refusal of 400 for one that is turned round or has too many points."""
    width = STEP_SECONDS[query["step"]]
    last = query["until"] if "until" in query else services().series.now()
    first = query["since"] if "since" in query else max(0, last - (DEFAULT_STEPS - 1) * width)
    if first > last or last // width - first // width >= MOST_POINTS:
        message = f"from must not lie after to, nor {MOST_POINTS} {query['step']}s or more before it."
        raise Refusal(400, message, param="from", code="invalid_value")
    return first, last


def _dump(point: Point) -> dict[str, Any]:
    times = {
        name: {quantile: round(seconds, 4) for quantile, seconds in told.items()} if told else None
        for name, told in asdict(point).items()
        if name.endswith("_seconds")
    }
    return asdict(point) | times
