"""A small API on loopback that answers as a test says, and a client of it."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from respool.client import Api
from respool.target import Target

Answer = tuple[int, Mapping[str, str], Any]


class Request(BaseHTTPRequestHandler):
    """One that came, with its `body`."""

    body: bytes


class Asked(list[Request]):
    """The requests that came, in their order."""


@contextmanager
def answering(answer: Callable[[int, Request], Answer]) -> Iterator[tuple[Api, Asked]]:
    """A client of a server that answers its n-th request (from 0) as told: by JSON, or by bytes as they are."""
    asked = Asked()

    class Handler(Request):
        def _answer(self) -> None:
            self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked.append(self)
            status, headers, document = answer(len(asked) - 1, self)
            body = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response_only(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_DELETE = _answer

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Api(Target(url=f"http://127.0.0.1:{server.server_port}", api_key="rsp_key")), asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def routed(routes: Mapping[str, Any]) -> Callable[[int, Request], Answer]:
    """Answers `METHOD /path` by the document (200) or the whole answer that stands for it, and anything else by 404."""

    def answer(_: int, request: Request) -> Answer:
        found = routes.get(f"{request.command} {urlsplit(request.path).path}")
        if isinstance(found, tuple):
            return (found[0], found[1], found[2])
        if found is None:
            return (404, {}, {"error": {"message": "no such route", "code": "not_found", "param": None}})
        return (200, {}, found)

    return answer


def query(request: BaseHTTPRequestHandler) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(request.path).query))
