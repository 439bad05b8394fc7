"""/v1/models: what a request may name."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from flask_smorest import Blueprint

from api.auth import authenticate
from api.openapi import StrictBlueprint
from api.refusal import model_not_found
from schemas.error import ErrorSchema
from schemas.model import ModelListSchema, ModelSchema
from schemas.request import DEFAULT_MODELS

OWNER = "respool"


def make_blueprint(models: frozenset[str] | None) -> Blueprint:
    """`models` are those that may be named; None: any, of which the known ones are listed."""
    listed = sorted(DEFAULT_MODELS if models is None else models)
    views = StrictBlueprint("models", __name__, url_prefix="/v1/models", description="Models")
    views.before_request(authenticate)

    @views.route("", methods=["GET"])
    @views.response(200, ModelListSchema)
    def index() -> Response:
        """List the models that a request may name."""
        return jsonify(object="list", data=[_dump(name) for name in listed])

    @views.route("/<path:model>", methods=["GET"])
    @views.response(200, ModelSchema)
    @views.alt_response(404, schema=ErrorSchema, description="No such model.")
    def show(model: str) -> Response:
        """Look at one model."""
        if model not in listed:
            raise model_not_found(model)
        return jsonify(_dump(model))

    return views


def _dump(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": OWNER}
