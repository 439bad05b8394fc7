"""What the doors share: the desk behind them, the key at them, and how a refusal looks."""

from flask import Response, current_app, jsonify, request
from werkzeug.exceptions import HTTPException

from sandbox.checks import parse_body
from sandbox.desk import Desk
from sandbox.errors import Refused, error_body
from sandbox.payload import Payload


def desk() -> Desk:
    """The desk of this app."""
    found: Desk = current_app.extensions["sandbox"]
    return found


def given_key() -> str:
    """The caller's key. Raises Refused (401)."""
    return desk().authorise(request.headers.get("Authorization", ""))


def given_object() -> dict[str, object]:
    """The JSON object in the body. Raises Refused (400)."""
    return parse_body(request.get_data(cache=False))


def plain(payload: Payload) -> Response:
    """A payload that is sent at once and whole."""
    return Response(b"".join(payload.walk()), status=payload.status, content_type=payload.content_type)


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
