"""Every request that is answered is counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from api.trail import ROUTE
from jobs.metrics.requests import Answered, RequestCounts

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
OTHER = "other"
"""What callers make up is counted together: methods, and paths that match no route."""


def counted(app: WSGIApplication, counts: RequestCounts) -> WSGIApplication:
    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        begun, method = time.monotonic(), environ["REQUEST_METHOD"]

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Callable[[bytes], object]:
            answered = Answered(
                route=environ.get(ROUTE, OTHER),
                method=method if method in METHODS else OTHER,
                http_status=int(status[:3]),
                seconds=time.monotonic() - begun,
            )
            counts.count(answered)
            return start_response(status, headers, *rest)

        return app(environ, start)

    return serve
