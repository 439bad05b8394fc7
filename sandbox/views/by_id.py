"""The door to responses by their id: look at one, cancel it, delete it."""

from flask import Blueprint, Response, jsonify, request

from sandbox.background import found_payload
from sandbox.connection import Connection
from sandbox.errors import Refused
from sandbox.faults import Fault
from sandbox.kept import Kept, not_found
from sandbox.live import live_payload
from sandbox.views.door import desk, given_key, plain

by_id = Blueprint("by_id", __name__)


@by_id.get("/responses/<response_id>")
def get_response(response_id: str) -> Response:
    """The Response as it stands."""
    given_key()
    kept = desk().kept.find(response_id)
    desk().log.note_poll(kept.call if kept else None)
    if kept is None:
        raise not_found(response_id)
    status = kept.fault.poll_status
    if status is not None and kept.fault.fails_poll(polls=kept.call.polls):
        raise Refused(f"The sandbox was asked to answer {status}.", status=status)
    if request.args.get("stream") == "true":
        return _streamed(kept)
    return plain(found_payload(kept))


def _streamed(kept: Kept) -> Response:
    """The events of a background response, from behind the number that `starting_after` names."""
    if not kept.call.background or not kept.call.stream or "no_resume" in kept.fault.stream:
        raise Refused("Only a background response that was begun with stream can be streamed.", param="stream")
    after = request.args.get("starting_after", -1, type=int)
    connection = Connection.of(request.environ)
    payload = live_payload(kept, after=after, fault=Fault(), connection=connection)
    return Response(payload.live, content_type=payload.content_type, headers=dict(payload.headers))


@by_id.post("/responses/compact")
def compact() -> Response:
    """Refuse what only some endpoints do, as one that never heard of it."""
    given_key()
    raise Refused("There is no such route: conversations are not compacted here.", status=404, code="NotFound")


@by_id.post("/responses/<response_id>/cancel")
def cancel_response(response_id: str) -> Response:
    """End a background response; one that has ended is answered as it is."""
    given_key()
    kept = desk().kept.find(response_id)
    desk().log.note_cancel(kept.call if kept else None)
    if kept is None:
        raise not_found(response_id)
    if not kept.response["background"]:
        raise Refused("Only a background response can be cancelled.", kind="invalid_request_error")
    kept.cancel()
    return plain(found_payload(kept))


@by_id.delete("/responses/<response_id>")
def delete_response(response_id: str) -> Response:
    """Forget a response; one that runs is cancelled."""
    given_key()
    kept = desk().kept.find(response_id)
    if kept is None:
        raise not_found(response_id)
    kept.cancel()
    desk().kept.forget(response_id)
    return jsonify({"id": response_id, "object": "response", "deleted": True})
