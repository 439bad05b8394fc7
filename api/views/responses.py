"""/v1/responses: what the Responses part of an SDK asks for. A response is that of an ordinary job."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Response, g, jsonify
from flask_smorest import Blueprint

from api import job_view, response_view
from api.asked import Asked, of_response
from api.auth import authenticate, scope
from api.input_view import input_page
from api.job_filter import METADATA, wanted
from api.links import response_url
from api.openapi import StrictBlueprint
from api.poll_header import poll_headers
from api.rate_headers import rate_headers
from api.refusal import Refusal, response_not_found
from api.response_queries import InputItemQuery, ResponseListQuery, ResponseQuery
from api.response_stream import stream_response
from api.response_wait import forget_answered, waited_for
from api.services import services
from api.submission import submit
from api.views.jobs import IDEMPOTENCY_KEY, header
from jobs.errors import CursorNotFound, JobNotFound
from jobs.record import RESPONSE_PREFIX, Job, number_of
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
PREFER = header("Prefer", "`wait=N` waits for N seconds; 540 at most and if left out.")
UNSTORABLE = "store: must not be false where background is true: a response in the background is fetched by its id"


def make_blueprint(asked: CreateResponseSchema) -> Blueprint:
    views = StrictBlueprint("responses", __name__, url_prefix="/v1/responses", description="The Responses protocol")
    views.before_request(authenticate)
    views.after_request(_name_the_response)
    not_found = views.alt_response(404, schema=ErrorSchema, description="No such response for this key.")

    @views.route("", methods=["POST"])
    @views.arguments(asked, example=EXAMPLE)
    @views.response(200, OwnResponseSchema)
    @views.alt_response(422, schema=ErrorSchema, description="The Idempotency-Key belongs to another body.")
    @views.alt_response(429, schema=ErrorSchema, description="A limit of the project, the service or the endpoint.")
    @views.alt_response(502, schema=ErrorSchema, description="The endpoint failed, as often as it was asked.")
    @views.alt_response(504, schema=ErrorSchema, description="The response did not end in time.")
    @views.doc(parameters=[IDEMPOTENCY_KEY, PREFER])
    def create(body: dict[str, Any]) -> Response:
        """Ask for a response: at once in the background, as events with `stream`, or else once it has ended."""
        storable = _storable(of_response(body))
        submitted = submit(storable)
        g.response_id = RESPONSE_PREFIX + submitted.number
        answer = _created(submitted.number, storable)
        answer.headers["Location"] = response_url(g.response_id)
        answer.headers.update(rate_headers(submitted.headroom))
        if not submitted.created:
            answer.headers["Idempotent-Replayed"] = "true"
        return answer

    @views.route("", methods=["GET"])
    @views.arguments(ResponseListQuery, location="query")
    @views.response(200, ResponseListSchema)
    @views.doc(parameters=[METADATA])
    def index(query: dict[str, Any]) -> Response:
        """List responses, newest first."""
        after = _cursor(query["after"]) if "after" in query else None
        page = services().listing.page(project=scope(), wanted=wanted(query), limit=query["limit"], after=after)
        ids = [job.response_id for job in page.jobs]
        return jsonify(
            object="list",
            data=response_view.dump_all(page.jobs),
            first_id=ids[0] if ids else None,
            last_id=RESPONSE_PREFIX + page.last if page.last else None,
            has_more=page.has_more,
        )

    @views.route("/<response_id>", methods=["GET"])
    @views.arguments(ResponseQuery, location="query")
    @views.response(200, OwnResponseSchema)
    @not_found
    def show(query: dict[str, Any], response_id: str) -> Response:
        """Poll a response, or follow its events."""
        with _known(response_id) as number:
            job = services().store.get(number, project=scope())
            if query["stream"]:
                return stream_response(number, after=query.get("starting_after"))
            return _shown(job)

    @views.route("/<response_id>/cancel", methods=["POST"])
    @views.response(200, OwnResponseSchema)
    @not_found
    def cancel(response_id: str) -> Response:
        """Cancel a response in the background; one that has ended stays as it is."""
        with _known(response_id) as number:
            _check_background(services().store.get(number, project=scope()))
            return _shown(services().store.cancel(number, project=scope()))

    @views.route("/<response_id>/input_items", methods=["GET"])
    @views.arguments(InputItemQuery, location="query")
    @views.response(200, InputItemListSchema)
    @not_found
    def input_items(query: dict[str, Any], response_id: str) -> Response:
        """List the items that the response was made from, with those of earlier turns."""
        with _known(response_id) as number:
            services().store.get(number, project=scope())
            sent = services().store.request(number)
        return jsonify(input_page(sent["input"], number=number, **query))

    @views.route("/compact", methods=["POST"])
    @views.response(404, ErrorSchema)
    def compact() -> Response:
        """Not offered: conversations are kept whole."""
        raise Refusal(404, "Conversations are not compacted here.", code="not_offered")

    @views.route("/<response_id>", methods=["DELETE"])
    @views.response(200, DeletedResponseSchema)
    @not_found
    def delete(response_id: str) -> Response:
        """Forget a response; one that has not ended is cancelled."""
        with _known(response_id) as number:
            services().store.discard(number, project=scope())
        return jsonify(id=response_id, object="response", deleted=True)

    return views


def _storable(asked: Asked) -> Asked:
    if asked.request["background"] and not asked.stored:
        raise Refusal(400, UNSTORABLE, param="store", code="invalid_value")
    return asked


def _created(number: str, asked: Asked) -> Response:
    if asked.request.get("stream"):
        if not asked.stored:
            forget_answered(number)
        return stream_response(number, after=None)
    if asked.request["background"]:
        return _shown(services().store.get(number, project=None))
    return _shown(waited_for(number, stored=asked.stored))


def _shown(job: Job) -> Response:
    waiting = services().waiting.of([job])[job.number]
    answer = jsonify(response_view.dump_waiting(job, waiting))
    answer.headers.update(poll_headers(job, waiting, now=time.time()))
    return answer


def _name_the_response(answer: Response) -> Response:
    """A refusal, too, tells the id of the response that it is about."""
    if "response_id" in g:
        answer.headers["x-respool-response-id"] = g.response_id
    return answer


def _check_background(job: Job) -> None:
    if job_view.response_of(job)["background"] is False:
        message = "Only a response that was created with background=true can be cancelled."
        raise Refusal(400, message, param="response_id", code="response_not_in_background")


@contextmanager
def _known(response_id: str) -> Iterator[str]:
    """The number of the response's job. Raises a Refusal of 404, also where JobNotFound is raised inside."""
    number = number_of(response_id, RESPONSE_PREFIX)
    if number is None:
        raise response_not_found(response_id)
    try:
        yield number
    except JobNotFound as error:
        raise response_not_found(response_id) from error


def _cursor(response_id: str) -> str:
    number = number_of(response_id, RESPONSE_PREFIX)
    if number is None:
        raise CursorNotFound(response_id)
    return number
