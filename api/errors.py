"""Every refusal as the protocol's error object; the one place where errors become answers."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from flask import Flask, Response, jsonify, request
from gunicorn.http.errors import ParseException
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge

from api.lingering import GARBLED
from api.refusal import Refusal
from api.services import services
from api.store_errors import refusal_of
from jobs import errors as store
from schemas.error import InvalidJson, error_body, flatten, mistakes_body
from schemas.mistakes import cut

log = logging.getLogger(__name__)


def register(app: Flask) -> None:
    """Makes every error of `app` an answer in JSON."""

    @app.errorhandler(Refusal)
    def refused(error: Refusal) -> Response:
        return _answer(error.status, error.body, error.headers)

    @app.errorhandler(store.StoreError)
    def store_error(error: store.StoreError) -> Response:
        if isinstance(error, store.StoreUnavailable):
            log.warning("%s", error)
        return refused(refusal_of(error))

    @app.errorhandler(ValidationError)
    def invalid(error: ValidationError) -> Response:
        return _answer(400, mistakes_body(flatten(error.messages), code="invalid_value"), {})

    @app.errorhandler(InvalidJson)
    def not_json(error: InvalidJson) -> Response:
        body = error_body(error.message, type="invalid_request_error", param=error.param, code="invalid_json")
        return _answer(400, body, {})

    @app.errorhandler(ParseException)
    def garbled(error: ParseException) -> Response:
        request.environ[GARBLED] = True
        message = "The body is broken off, or its chunks are not framed as HTTP wants them."
        return _answer(400, error_body(message, type="invalid_request_error", code="invalid_body"), {})

    @app.errorhandler(RequestEntityTooLarge)
    def too_large(error: RequestEntityTooLarge) -> Response:
        bound = services().settings.max_body_bytes
        message = f"The body is larger than {bound} bytes (RESPOOL_MAX_BODY_BYTES)."
        body = error_body(message, type="invalid_request_error", code="body_too_large")
        return _answer(413, body, {})

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        status = error.code or 500
        kind = "invalid_request_error" if status < 500 else "server_error"
        headers = {name: value for name, value in error.get_headers() if name == "Allow"}
        body = error_body(_message(error), type=kind, code=error.name.lower().replace(" ", "_"))
        return _answer(status, body, headers)


def _message(error: HTTPException) -> str:
    asked = f"{cut(request.method)} {cut(request.path)}"
    match error:
        case NotFound():
            return f"There is no route {asked}; /docs lists those that are there."
        case MethodNotAllowed():
            return f"There is no route {asked}; the path takes {', '.join(sorted(error.valid_methods or ()))}."
        case _:
            return error.description or error.name


def _answer(status: int, body: Mapping[str, object], headers: Mapping[str, str]) -> Response:
    answer = jsonify(body)
    answer.status_code = status
    answer.headers.update(headers)
    return answer
