"""/healthz and /readyz: for whoever keeps the service running."""

from __future__ import annotations

from dataclasses import asdict

from flask import Response, jsonify
from flask_smorest import Blueprint

from api.openapi import StrictBlueprint
from api.services import services


def make_blueprint() -> Blueprint:
    views = StrictBlueprint("health", __name__, description="Is it alive, is it ready")

    @views.route("/healthz", methods=["GET"])
    @views.response(200)
    @views.doc(security=[])
    def alive() -> Response:
        """Answer while the process can."""
        return jsonify(status="ok")

    @views.route("/readyz", methods=["GET"])
    @views.response(200)
    @views.doc(security=[])
    def ready() -> Response:
        """Answer 200 when Redis takes writes; how it keeps them and who works is told, not required."""
        services().store.takes_writes()
        live = services().workers.live()
        kept = services().persistence.read()
        return jsonify(
            status="ok",
            workers={
                "live": len(live),
                "slots": sum(worker.slots for worker in live),
                "jobs": sum(w.jobs for w in live),
            },
            persistence=asdict(kept) if kept else None,
        )

    return views
