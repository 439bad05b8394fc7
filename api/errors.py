"""Every refusal as the protocol's error object; the one place where errors become answers."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from flask import Flask, Response, jsonify
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from api.services import services
from jobs import errors as store
from schemas.error import InvalidJson, error_body, flatten, mistakes_body

log = logging.getLogger(__name__)


class Refusal(Exception):
    """An answer of 4xx or 5xx; `param` names what is at fault."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = error_body(message, type=type, param=param, code=code)
        self.headers = dict(headers or {})


def unauthorized() -> Refusal:
    """One answer for an absent, unknown and revoked key alike."""
    message = "A valid API key is required: Authorization: Bearer rsp_…"
    return Refusal(
        401, message, type="authentication_error", code="invalid_api_key", headers={"WWW-Authenticate": "Bearer"}
    )


def job_not_found(job_id: str) -> Refusal:
    return Refusal(404, f"Job with id '{job_id[:64]}' not found.", param="job_id", code="job_not_found")


def _unavailable() -> Refusal:
    return Refusal(
        503, "The store cannot be reached at present.",
        type="server_error", code="store_unavailable", headers={"Retry-After": "1"},
    )  # fmt: skip


def _of_store(error: store.StoreError) -> Refusal:
    match error:
        case store.DurabilityUnconfirmed():
            return Refusal(
                503,
                "The job could not be confirmed durable in time; the same Idempotency-Key is safe to send again.",
                type="server_error",
                code="durability_unconfirmed",
                headers={"Retry-After": "1"},
            )
        case store.StoreUnavailable():
            return _unavailable()
        case store.QueueFull():
            return Refusal(
                429,
                f"The queued jobs already hold as many bytes as they may (RESPOOL_MAX_QUEUED_BYTES = {error}).",
                type="rate_limit_error",
                code="queue_full",
                headers={"Retry-After": "30", "x-should-retry": "false"},
            )
        case store.IdempotencyConflict():
            return Refusal(
                422,
                f"The Idempotency-Key was already used with another body, for {error.job_id}.",
                param="Idempotency-Key",
                code="idempotency_key_reused",
            )
        case store.IdempotencyGone():
            return Refusal(
                422,
                f"The Idempotency-Key was already used, for {error.job_id}, which is no longer kept.",
                param="Idempotency-Key",
                code="idempotency_job_gone",
            )
        case store.JobNotFound():
            return job_not_found(f"job_{error}")
        case store.JobNotEnded():
            return Refusal(400, "The job has not ended; cancel it first.", param="job_id", code="job_not_ended")
        case store.CursorNotFound():
            return Refusal(400, "There is no such job to go on after.", param="after", code="invalid_value")
        case _:
            raise error


def register(app: Flask) -> None:
    """Makes every error of `app` an answer in JSON."""

    @app.errorhandler(Refusal)
    def refused(error: Refusal) -> Response:
        return _answer(error.status, error.body, error.headers)

    @app.errorhandler(store.StoreError)
    def store_error(error: store.StoreError) -> Response:
        if isinstance(error, store.StoreUnavailable):
            log.warning("%s", error)
        return refused(_of_store(error))

    @app.errorhandler(ValidationError)
    def invalid(error: ValidationError) -> Response:
        return _answer(400, mistakes_body(flatten(error.messages), code="invalid_value"), {})

    @app.errorhandler(InvalidJson)
    def not_json(error: InvalidJson) -> Response:
        body = error_body(error.message, type="invalid_request_error", param=error.param, code="invalid_json")
        return _answer(400, body, {})

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
        body = error_body(error.description or error.name, type=kind, code=error.name.lower().replace(" ", "_"))
        return _answer(status, body, headers)


def _answer(status: int, body: Mapping[str, object], headers: Mapping[str, str]) -> Response:
    answer = jsonify(body)
    answer.status_code = status
    answer.headers.update(headers)
    return answer
