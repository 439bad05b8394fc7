"""/v1/batches: files of many requests, each line a job of low priority."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from flask_smorest import Blueprint

from api import batch_view
from api.auth import authenticate, scope
from api.batch_creation import Created, create_batch
from api.batch_retry import retry_batch
from api.file_store import configured
from api.openapi import StrictBlueprint
from api.queries import BatchLineQuery, BatchListQuery
from api.services import services
from api.views.jobs import IDEMPOTENCY_KEY
from schemas.batch import BatchCreateSchema, BatchLineListSchema, BatchListSchema, BatchSchema
from schemas.error import ErrorSchema

EXAMPLE = {
    "input_file_id": "file-4d1c09b7a2f94f0f8a8b7f0e5a6c2d1e",
    "endpoint": "/v1/responses",
    "completion_window": "24h",
    "metadata": {"customer": "42"},
    "respool": {"max_attempts": 3, "webhook": {"url": "https://example.com/hooks/respool"}},
}


def make_blueprint(asked: type[BatchCreateSchema]) -> Blueprint:
    views = StrictBlueprint("batches", __name__, url_prefix="/v1/batches", description="Files of many requests")
    views.before_request(authenticate)
    views.before_request(_check_configured)
    not_found = views.alt_response(404, schema=ErrorSchema, description="No such batch for this key.")
    not_kept = views.alt_response(501, schema=ErrorSchema, description="RESPOOL_FILES_FOLDER is not set.")
    too_many = views.alt_response(429, schema=ErrorSchema, description="Too many batches of the project in an hour.")

    @views.route("", methods=["POST"])
    @views.arguments(asked, example=EXAMPLE)
    @views.response(200, BatchSchema)
    @views.alt_response(
        400, schema=ErrorSchema, description="A mistake in the body, or a file that cannot be a batch's."
    )
    @too_many
    @not_kept
    @views.doc(parameters=[IDEMPOTENCY_KEY])
    def create(body: dict[str, Any]) -> Response:
        """Have a file of requests worked on; the answer comes before the file is read."""
        return _shown(create_batch(body, configured(services().files)))

    @views.route("", methods=["GET"])
    @views.arguments(BatchListQuery, location="query")
    @views.response(200, BatchListSchema)
    @not_kept
    def index(query: dict[str, Any]) -> Response:
        """List batches, newest first."""
        page = services().batches.page(project=scope(), limit=query["limit"], after=query.get("after"))
        ids = [batch.id for batch in page.batches]
        return jsonify(
            object="list",
            data=[batch_view.dump(batch) for batch in page.batches],
            first_id=ids[0] if ids else None,
            last_id=ids[-1] if ids else None,
            has_more=page.has_more,
        )

    @views.route("/<batch_id>", methods=["GET"])
    @views.response(200, BatchSchema)
    @not_found
    @not_kept
    def show(batch_id: str) -> Response:
        """Look at a batch."""
        return jsonify(batch_view.dump(services().batches.get(batch_id, project=scope())))

    @views.route("/<batch_id>/cancel", methods=["POST"])
    @views.response(200, BatchSchema)
    @not_found
    @not_kept
    def cancel(batch_id: str) -> Response:
        """Cancel what has not begun; what runs may end within ten minutes. A batch that has ended stays as it is."""
        return jsonify(batch_view.dump(services().batches.cancel(batch_id, project=scope())))

    @views.route("/<batch_id>/lines", methods=["GET"])
    @views.arguments(BatchLineQuery, location="query")
    @views.response(200, BatchLineListSchema)
    @not_found
    @not_kept
    def lines(query: dict[str, Any], batch_id: str) -> Response:
        """List the lines that were taken up so far, with what became of them; also while the batch runs."""
        batch = services().batches.get(batch_id, project=scope())
        page = services().batch_lines.taken_up(
            batch, after=query["after"], limit=query["limit"], status=query.get("status")
        )
        return jsonify(
            object="list",
            data=[batch_view.dump_line(batch, line) for line in page.lines],
            cursor=page.next_after,
            has_more=page.has_more,
        )

    @views.route("/<batch_id>/retry", methods=["POST"])
    @views.response(200, BatchSchema)
    @views.alt_response(400, schema=ErrorSchema, description="It has not ended, or no line failed.")
    @not_found
    @too_many
    @not_kept
    @views.doc(parameters=[IDEMPOTENCY_KEY])
    def retry(batch_id: str) -> Response:
        """Make a batch of the lines that failed, or were not run, in one that has ended."""
        batch = services().batches.get(batch_id, project=scope())
        return _shown(retry_batch(batch, configured(services().files)))

    return views


def _shown(created: Created) -> Response:
    answer = jsonify(batch_view.dump(created.batch))
    if not created.anew:
        answer.headers["Idempotent-Replayed"] = "true"
    return answer


def _check_configured() -> None:
    configured(services().files)
