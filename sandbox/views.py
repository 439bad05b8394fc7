"""The doors of the sandbox: a Responses endpoint, and a look at what calls came."""

import uuid
from collections.abc import Iterator
from contextlib import ExitStack

from flask import Blueprint, Response, current_app, jsonify, request
from werkzeug.exceptions import HTTPException

from sandbox.calls import Call
from sandbox.connection import Connection
from sandbox.delivery import deliver, drip_head
from sandbox.desk import Desk
from sandbox.errors import ClientLeft, Refused, error_body
from sandbox.faults import Fault
from sandbox.payload import Payload
from schemas.request import DEFAULT_MODELS

CLIENT_LEFT = 499  # what some servers log for a caller that did not wait; it is never received

endpoint = Blueprint("endpoint", __name__)
records = Blueprint("records", __name__, url_prefix="/sandbox")


@endpoint.post("/responses")
def create_response() -> Response:
    """Answer one call, well or as badly as it asks for."""
    desk, connection = _desk(), Connection.of(request.environ)
    request_id = f"req_{uuid.uuid4().hex}"
    call = desk.log.begin(request_id=request_id, idempotency_key=request.headers.get("Idempotency-Key"))
    with ExitStack() as stack:
        stack.callback(_end, desk, call, connection)
        response = _answer(desk, call, connection)
        response.headers["x-request-id"] = request_id
        # The call lasts until the server has sent the last byte, not until this function returns.
        response.call_on_close(stack.pop_all().close)
    return response


@endpoint.get("/models")
def list_models() -> Response:
    """The models that the real endpoint names; the sandbox answers under any name."""
    try:
        _desk().authorise(request.headers.get("Authorization", ""))
    except Refused as refusal:
        return refused(refusal)
    data = [{"id": name, "object": "model", "created": 0, "owned_by": "sandbox"} for name in DEFAULT_MODELS]
    return jsonify({"object": "list", "data": data})


@records.get("/requests")
def list_requests() -> Response:
    """The latest calls, oldest first; `?limit=N` for the last N."""
    return jsonify(_desk().log.seen(limit=request.args.get("limit", type=int)))


@records.delete("/requests")
def forget_requests() -> Response:
    """Forget the calls so far."""
    _desk().forget()
    return Response(status=204)


@records.get("/keys")
def list_keys() -> Response:
    """How many calls came with each Idempotency-Key; `?at_least=N` for those that came N times or more."""
    return jsonify(_desk().log.keys.at_least(request.args.get("at_least", 1, type=int)))


def refused(refusal: Refused) -> Response:
    """The answer to a call that is refused."""
    response = jsonify(refusal.body())
    response.status_code = refusal.status
    if refusal.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(refusal.retry_after_seconds)
    return response


def http_error(error: HTTPException) -> Response:
    """The answer to what Flask refuses by itself, in the same shape."""
    status = error.code or 500
    response = jsonify(error_body(error.description or error.name, status=status))
    response.status_code = status
    return response


def _answer(desk: Desk, call: Call, connection: Connection) -> Response:
    try:
        raw = request.get_data(cache=False)
        desk.authorise(request.headers.get("Authorization", ""))
        rate_headers = desk.limiter.admit()
        payload, fault = desk.answer(
            call, raw, fault_header=request.headers.get("x-sandbox-fault"), connection=connection
        )
        response = _sent(payload, fault, call, connection)
        response.headers.update(rate_headers)
    except Refused as refusal:
        response = refused(refusal)
    except HTTPException as error:
        response = http_error(error)
    except ClientLeft:
        connection.cut()
        return Response(status=CLIENT_LEFT)
    call.status = None if connection.is_cut else response.status_code
    return response


def _sent(payload: Payload, fault: Fault, call: Call, connection: Connection) -> Response:
    if fault.drip_headers:
        drip_head(payload, seconds=fault.drip_headers, connection=connection)
        return Response(status=payload.status)
    if fault.cut == "before":
        connection.cut()
        return Response(status=payload.status)
    flow = deliver(payload, fault=fault, connection=connection)
    response = Response(_watched(flow, call), status=payload.status, content_type=payload.content_type)
    response.headers.update(payload.headers)
    if payload.byte_count is not None:
        response.headers["Content-Length"] = str(payload.byte_count)
    return response


def _watched(flow: Iterator[bytes], call: Call) -> Iterator[bytes]:
    """The flow; the server closes it early when the caller does not take it to its end."""
    try:
        yield from flow
    except GeneratorExit:
        call.client_left = True
        raise


def _end(desk: Desk, call: Call, connection: Connection) -> None:
    call.client_left = call.client_left or connection.has_left
    desk.log.end(call)


def _desk() -> Desk:
    desk: Desk = current_app.extensions["sandbox"]
    return desk
