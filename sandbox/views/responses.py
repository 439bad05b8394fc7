"""The door of the Responses endpoint: a call comes in, its answer leaves."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from sandbox.calls import Call
from sandbox.connection import Connection
from sandbox.delivery import deliver, drip_head
from sandbox.errors import ClientLeft, Refused
from sandbox.faults import Fault
from sandbox.payload import Payload
from sandbox.views.door import desk, given_key, http_error, refused
from schemas.request import DEFAULT_MODELS

CLIENT_LEFT = 499  # what some servers log for a caller that did not wait; it is never received

endpoint = Blueprint("endpoint", __name__)


@endpoint.post("/responses")
def create_response() -> Response:
    """Answer one call, well or as badly as it asks for."""
    connection = Connection.of(request.environ)
    request_id = f"req_{uuid.uuid4().hex}"
    log = desk().log
    call = log.begin(request_id=request_id, idempotency_key=request.headers.get("Idempotency-Key"))
    with ExitStack() as stack:
        stack.callback(_end, desk().end, call, connection)
        response = _answer(call, connection)
        response.headers["x-request-id"] = request_id
        # The call lasts until the server has sent the last byte, not until this function returns.
        response.call_on_close(stack.pop_all().close)
    return response


@endpoint.get("/models")
def list_models() -> Response:
    """The models that the real endpoint names; the sandbox answers under any name."""
    given_key()
    data = [{"id": name, "object": "model", "created": 0, "owned_by": "sandbox"} for name in DEFAULT_MODELS]
    return jsonify({"object": "list", "data": data})


def _answer(call: Call, connection: Connection) -> Response:
    try:
        response = _answer_or_raise(call, connection)
    except Refused as refusal:
        response = refused(refusal)
        if not call.is_admitted and refusal.status == 429:
            desk().log.refusals.add(refusal.body()["error"]["code"])
    except HTTPException as error:
        response = http_error(error)
    except ClientLeft:
        connection.cut()
        return Response(status=CLIENT_LEFT)
    if call.api_key_end is not None:
        response.headers.update(desk().limiter.headers(status=response.status_code))
    call.status = None if connection.is_cut else response.status_code
    return response


def _answer_or_raise(call: Call, connection: Connection) -> Response:
    raw = request.get_data(cache=False)
    api_key = given_key()
    body = desk().read(call, raw)
    outage = desk().admit(call, api_key=api_key)
    header = request.headers.get("x-sandbox-fault")
    payload, fault = desk().answer(call, body, fault_header=header, connection=connection, outage=outage)
    return _sent(payload, fault, call, connection)


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


def _end(end: Callable[[Call], None], call: Call, connection: Connection) -> None:
    call.client_left = call.client_left or connection.has_left
    if not call.background:  # whose work goes on, and ends the call
        end(call)
