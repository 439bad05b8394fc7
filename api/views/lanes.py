"""/v1/lanes: how each upstream account × model runs; admins change, pause and resume."""

from __future__ import annotations

import logging
from typing import Any

from flask import Response, jsonify
from flask_smorest import Blueprint

from api import lane_view
from api.auth import admins_only, authenticate, caller
from api.openapi import StrictBlueprint
from api.refusal import Refusal
from api.services import services
from jobs.lane_reader import LaneState
from schemas.error import ErrorSchema
from schemas.lane import LaneChangeSchema, LaneListSchema, LanePauseSchema, LaneResumeSchema, LaneSchema

log = logging.getLogger(__name__)

LANE = "/<path:lane>"
"""A model's name may hold slashes; one at the end of the path is the name's too."""


def make_blueprint() -> Blueprint:
    views = StrictBlueprint("lanes", __name__, url_prefix="/v1/lanes", description="Upstream accounts × models")
    views.before_request(authenticate)
    for_admins = views.alt_response(403, schema=ErrorSchema, description="The key is no admin's.")

    @views.route("", methods=["GET"])
    @views.response(200, LaneListSchema)
    def index() -> Response:
        """List the lanes."""
        return jsonify(object="list", data=[lane_view.dump(lane) for lane in lane_view.seen(services().lanes.all())])

    @views.route(LANE, methods=["GET"], strict_slashes=True)
    @views.response(200, LaneSchema)
    def show(lane: str) -> Response:
        """Look at one lane."""
        return jsonify(lane_view.dump(services().lanes.get(lane)))

    @views.route(LANE, methods=["PATCH"], strict_slashes=True)
    @admins_only
    @views.arguments(LaneChangeSchema, example={"requests_per_minute": 300, "reason": "the account was upgraded"})
    @views.response(200, LaneSchema)
    @for_admins
    def change(body: dict[str, Any], lane: str) -> Response:
        """Change limits of a lane; null takes one back to what the limits file says."""
        values = {name: value for name, value in body.items() if name != "reason"}
        try:
            changed = services().lanes.change(lane, values, reason=body["reason"], by=caller().id)
        except ValueError as error:  # a burst that does not fit the rate, which may stand elsewhere
            raise Refusal(400, str(error), param="burst", code="invalid_value") from error
        return _answer(changed, f"set {_shown(values)}", body["reason"])

    @views.route(f"{LANE}/pause", methods=["POST"])
    @admins_only
    @views.arguments(LanePauseSchema, required=False, example={"seconds": 60, "reason": "the account is maintained"})
    @views.response(200, LaneSchema)
    @for_admins
    def pause(body: dict[str, Any], lane: str) -> Response:
        """Release no more jobs of a lane, for so many seconds or until it is resumed; calls in flight go on."""
        seconds, reason = body.get("seconds"), body.get("reason", "")
        paused = services().lanes.pause(lane, seconds=seconds, reason=reason, by=caller().id)
        return _answer(paused, f"paused {'until resumed' if seconds is None else f'for {seconds:g} s'}", reason)

    @views.route(f"{LANE}/resume", methods=["POST"])
    @admins_only
    @views.arguments(LaneResumeSchema, required=False, example={})
    @views.response(200, LaneSchema)
    @for_admins
    def resume(body: dict[str, Any], lane: str) -> Response:
        """End a pause, whoever ordered it."""
        reason = body.get("reason", "")
        return _answer(services().lanes.resume(lane, reason=reason, by=caller().id), "resumed", reason)

    return views


def _answer(lane: LaneState, what: str, reason: str) -> Response:
    log.info("lane %r %s by %s: %r", lane.name, what, caller().id, reason)
    return jsonify(lane_view.dump(lane))


def _shown(values: dict[str, Any]) -> str:
    told = {name: "as the file says" if value is None else value for name, value in values.items()}
    return ", ".join(f"{name} {value}" for name, value in told.items())
