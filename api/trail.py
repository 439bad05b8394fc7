"""What the work that a request begins is found by: its request id and, of a trace, its span."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import g

from jobs.tracing import Tracer, current
from jobs.trail import Trail, read_traceparent

ROUTE = "respool.route"
"""In the WSGI environment: the rule that the path matched, as /v1/jobs/<job_id>."""


def trail() -> Trail:
    """Of the present request."""
    return Trail(request_id=g.request_id, traceparent=current().traceparent)


def traced(app: WSGIApplication, tracer: Tracer) -> WSGIApplication:
    """`app` with a span for each request that begins something or is part of a trace; the others only look."""

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method, within = environ["REQUEST_METHOD"], read_traceparent(environ.get("HTTP_TRACEPARENT", ""))
        if method in ("GET", "HEAD", "OPTIONS") and not within:
            return app(environ, start_response)
        with tracer.span(method, kind="server", within=within) as span:

            def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Callable[[bytes], object]:
                route = environ.get(ROUTE, "")
                span.call(f"{method} {route}".strip())
                span.say(http__request__method=method, http__route=route, http__response__status_code=int(status[:3]))
                if status.startswith("5"):
                    span.fail(f"http_{status[:3]}")
                return start_response(status, headers, *rest)

            return app(environ, start)

    return serve
