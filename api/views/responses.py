"""/v1/responses: what the Responses part of an SDK asks for. A response is that of an ordinary job."""

from __future__ import annotations

from typing import Any, NoReturn

from flask import Response, jsonify
from flask_smorest import Blueprint

from api import job_view, response_view
from api.auth import authenticate, scope
from api.input_view import input_page
from api.job_filter import METADATA, wanted
from api.known_response import cursor, known
from api.openapi import StrictBlueprint
from api.refusal import Refusal
from api.response_creation import created, shown, tell_accepted
from api.response_queries import InputItemQuery, ResponseListQuery, ResponseQuery
from api.response_stream import stream_response
from api.services import services
from api.views.jobs import IDEMPOTENCY_KEY, header
from jobs.asked import of_response
from jobs.record import RESPONSE_PREFIX, Job
from schemas.error import ErrorSchema
from schemas.input_items import InputItemListSchema
from schemas.request import CreateResponseSchema
from schemas.response_list import DeletedResponseSchema, ResponseListSchema
from schemas.respool_view import OwnResponseSchema

EXAMPLE = {
    "model": "doubao-seed-1-6-251015",
    "input": "What happens in this film?",
    "background": True,
    "metadata": {"customer": "42"},
    "respool": {"priority": 7, "webhook": {"url": "https://example.com/hooks/respool"}},
}
STREAMED: dict[Any, Any] = {200: {"content": {"text/event-stream": {}}}}
"""What else than JSON comes where `stream` is asked for."""
PREFER = header("Prefer", "`wait=N` waits for N seconds; 540 at most and if left out.")


def make_blueprint(asked: CreateResponseSchema) -> Blueprint:
    views = StrictBlueprint("responses", __name__, url_prefix="/v1/responses", description="The Responses protocol")
    views.before_request(authenticate)
    views.after_request(tell_accepted)
    not_found = views.alt_response(404, schema=ErrorSchema, description="No such response for this key.")

    @views.route("", methods=["POST"])
    @views.arguments(asked, example=EXAMPLE)
    @views.response(200, OwnResponseSchema)
    @views.alt_response(422, schema=ErrorSchema, description="The Idempotency-Key belongs to another body.")
    @views.alt_response(429, schema=ErrorSchema, description="A limit of the project, the service or the endpoint.")
    @views.alt_response(502, schema=ErrorSchema, description="The endpoint failed, as often as it was asked.")
    @views.alt_response(504, schema=ErrorSchema, description="The response did not end in time.")
    @views.doc(parameters=[IDEMPOTENCY_KEY, PREFER], responses=STREAMED)
    def create(body: dict[str, Any]) -> Response:
        """Ask for a response: at once in the background, as events with `stream`, or else once it has ended."""
        return created(of_response(body))

    @views.route("", methods=["GET"])
    @views.arguments(ResponseListQuery, location="query")
    @views.response(200, ResponseListSchema)
    @views.doc(parameters=[METADATA])
    def index(query: dict[str, Any]) -> Response:
        """List responses, newest first."""
        after = cursor(query["after"]) if "after" in query else None
        page = services().listing.page(project=scope(), wanted=wanted(query), limit=query["limit"], after=after)
        ids = [job.response_id for job in page.jobs]
        return jsonify(
            object="list",
            data=response_view.dump_all(page.jobs),
            first_id=ids[0] if ids else None,
            last_id=RESPONSE_PREFIX + page.last if page.last else None,
            has_more=page.has_more,
            left_out=[RESPONSE_PREFIX + number for number in page.left_out],
        )

    @views.route("/<response_id>", methods=["GET"])
    @views.arguments(ResponseQuery, location="query")
    @views.response(200, OwnResponseSchema)
    @views.doc(responses=STREAMED)
    @not_found
    def show(query: dict[str, Any], response_id: str) -> Response:
        """Poll a response, or follow its events."""
        with known(response_id) as number:
            job = services().store.get(number, project=scope())
            if query["stream"]:
                return stream_response(number, after=query.get("starting_after"))
            return shown(job)

    @views.route("/<response_id>/cancel", methods=["POST"])
    @views.response(200, OwnResponseSchema)
    @not_found
    def cancel(response_id: str) -> Response:
        """Cancel a response in the background; one that has ended stays as it is."""
        with known(response_id) as number:
            _check_background(services().store.get(number, project=scope()))
            return shown(services().store.cancel(number, project=scope()))

    @views.route("/<response_id>/input_items", methods=["GET"])
    @views.arguments(InputItemQuery, location="query")
    @views.response(200, InputItemListSchema)
    @not_found
    def input_items(query: dict[str, Any], response_id: str) -> Response:
        """List the items that the response was made from, with those of earlier turns."""
        with known(response_id) as number:
            services().store.get(number, project=scope())
            sent = services().store.request(number)
        return jsonify(input_page(sent["input"], number=number, **query))

    @views.route("/compact", methods=["POST"])
    @views.response(404, ErrorSchema)
    def compact() -> NoReturn:
        """Not offered: conversations are kept whole."""
        raise Refusal(404, "Conversations are not compacted here.", code="not_offered")

    @views.route("/input_tokens", methods=["POST"])
    @views.response(404, ErrorSchema)
    def input_tokens() -> NoReturn:
        """Not offered: how an endpoint counts is known to itself alone; a dry run of a job estimates."""
        raise Refusal(404, "Tokens are not counted here; POST /v1/jobs?dry_run=true estimates.", code="not_offered")

    @views.route("/<response_id>", methods=["DELETE"])
    @views.response(200, DeletedResponseSchema)
    @not_found
    def delete(response_id: str) -> Response:
        """Forget a response; one that has not ended is cancelled."""
        with known(response_id) as number:
            services().store.discard(number, project=scope())
        return jsonify(id=response_id, object="response", deleted=True)

    return views


def _check_background(job: Job) -> None:
    if job_view.response_of(job)["background"] is False:
        message = "Only a response that was created with background=true can be cancelled."
        raise Refusal(400, message, param="response_id", code="response_not_in_background")
