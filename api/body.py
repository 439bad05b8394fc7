"""Reading a request's JSON body strictly, within its size."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from flask import Request
from marshmallow import Schema
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import RequestEntityTooLarge

from api.refusal import Refusal
from api.services import services
from schemas import strict_json
from schemas.error import InvalidJson


class StrictParser(FlaskParser):
    """webargs with our own JSON reader; a mistake is a 400 that ValidationError's handler writes."""

    DEFAULT_VALIDATION_STATUS = 400
    DEFAULT_UNKNOWN_BY_LOCATION = {"json": None, "query": None}  # noqa: RUF012 - webargs' own name and type

    def load_json(self, req: Request, schema: Any) -> Any:
        """The body; one that is absent is an empty object to a schema that requires no field."""
        return read_json(req) if _has_body(req) or _requires_some(schema) else {}

    def handle_error(self, error: Any, req: Any, schema: Any, **_: Any) -> Any:
        location = error.messages
        error.messages = next(iter(location.values()), location) if isinstance(location, dict) else location
        raise error


def read_json(request: Request) -> Any:
    """The decoded body. Raises a Refusal of 415, RequestEntityTooLarge, InvalidJson."""
    kind = request.mimetype
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise Refusal(
            415,
            f"The content type must be application/json, got {kind[:64] or 'none'}.",
            param="Content-Type",
            code="unsupported_media_type",
        )
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        message = "The body must not be compressed: Content-Encoding is not supported."
        raise Refusal(415, message, param="Content-Encoding", code="unsupported_media_type")
    body = request.get_data(cache=False)
    if len(body) > services().settings.max_body_bytes:
        raise RequestEntityTooLarge  # a chunked body announces no length: werkzeug cuts it, and says nothing
    if len(body) < (request.content_length or 0):
        raise InvalidJson("the body ends before its Content-Length")
    return strict_json.parse(body)


def _has_body(request: Request) -> bool:
    return bool(request.content_length) or "Transfer-Encoding" in request.headers


def _requires_some(schema: Schema) -> bool:
    return any(field.required for field in schema.fields.values())


def digest(value: object) -> str:
    """One hash for one meaning: the order of fields and white space do not count."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
