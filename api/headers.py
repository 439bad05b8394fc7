"""What every answer carries: a request id, which its log lines say too, and headers that keep browsers careful."""

from __future__ import annotations

import re
import secrets

from flask import Flask, Response, g, request

from api.trail import ROUTE
from jobs.log_context import begin
from jobs.tracing import current
from jobs.trail import trace_id

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}\Z")
POLICY = "default-src 'none'; frame-ancestors 'none'"


def register(app: Flask) -> None:
    @app.before_request
    def name_the_request() -> None:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if REQUEST_ID.match(given) else f"req_{secrets.token_hex(16)}"
        begin(request_id=g.request_id, trace_id=trace_id(current().traceparent))
        if request.url_rule is not None:
            request.environ[ROUTE] = request.url_rule.rule

    @app.after_request
    def add(answer: Response) -> Response:
        answer.headers["x-request-id"] = g.get("request_id") or f"req_{secrets.token_hex(16)}"
        answer.headers.setdefault("Cache-Control", "no-store")
        answer.headers.setdefault("X-Content-Type-Options", "nosniff")
        answer.headers.setdefault("Content-Security-Policy", POLICY)
        return answer
