"""/v1/workers: the processes that do the work, for admins."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from flask_smorest import Blueprint

from api.auth import admins_only, authenticate
from api.openapi import StrictBlueprint
from api.services import services
from jobs.webhooks.senders import LiveSender
from jobs.workers import LiveWorker
from schemas.error import ErrorSchema
from schemas.worker import WorkerListSchema


def make_blueprint() -> Blueprint:
    views = StrictBlueprint("workers", __name__, url_prefix="/v1/workers", description="Workers and senders")
    views.before_request(authenticate)

    @views.route("", methods=["GET"])
    @admins_only
    @views.response(200, WorkerListSchema)
    @views.alt_response(403, schema=ErrorSchema, description="The key is no admin's.")
    def index() -> Response:
        """List the workers and the senders that live."""
        workers = [_dump("worker", worker, worker.jobs) for worker in services().workers.live()]
        senders = [_dump("sender", sender, sender.deliveries) for sender in services().senders.live()]
        return jsonify(object="list", data=workers + senders)

    return views


def _dump(kind: str, process: LiveWorker | LiveSender, in_use: int) -> dict[str, Any]:
    return {
        "object": "worker",
        "id": process.id,
        "kind": kind,
        "slots": process.slots,
        "in_use": in_use,
        "stalled": process.stalled,
        "lease_seconds": process.lease_seconds,
        "host": process.host,
        "pid": process.pid,
        "started_at": process.started_at,
    }
