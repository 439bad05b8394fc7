"""An endpoint as odd as some that are out there: a sandbox behind it, whose answers it bends on their way."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

from sandbox.shapes import with_float_times, with_int_codes

BARE = "bare"
"""Leaves out what it can: ids and places of items, log probabilities, numbers of events, most of a Response."""
UNFRAMED = "unframed"
"""Sends neither `event:` lines nor `[DONE]`."""
FLOAT_TIMES = "float_times"
INT_CODES = "int_codes"
PLAIN_ERRORS = "plain_errors"
"""Answers errors as text/plain."""
STRICT = "strict"
"""Refuses every field but those that the callers of the tests send."""
STREAMING = "streaming"
"""Streams unless `stream` is false."""
IN_ANSWERS = (BARE, UNFRAMED, FLOAT_TIMES, STRICT, STREAMING)
ODDITIES = (*IN_ANSWERS, INT_CODES, PLAIN_ERRORS)

_KNOWN = {"model", "input", "instructions", "metadata", "stream", "store", "reasoning", "temperature", "text", "tools"}
_KNOWN |= {"max_output_tokens"}
_KEPT = ("id", "object", "created_at", "completed_at", "model", "status", "output", "usage", "error")
_USAGE = ("input_tokens", "output_tokens", "total_tokens")
_LEFT_OUT = {"item_id", "output_index", "content_index", "summary_index", "sequence_number", "logprobs", "annotations"}


@contextmanager
def running_odd_upstream(sandbox: str, *oddities: str) -> Iterator[str]:
    """Its base URL, without a path; `sandbox` is that of the sandbox behind it."""
    handler = type("Handler", (_Handler,), {"sandbox": sandbox, "oddities": frozenset(oddities)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.socket.close()


class _Handler(BaseHTTPRequestHandler):
    sandbox: str
    oddities: frozenset[str]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        unknown = sorted(set(body) - _KNOWN)
        if STRICT in self.oddities and unknown:
            self._send(400, "text/plain", f"unknown fields: {', '.join(unknown)}".encode())
            return
        if STREAMING in self.oddities and body.get("stream") is not False:
            body["stream"] = True
        kept = {name: self.headers[name] for name in ("Authorization", "Idempotency-Key")}
        with (
            requests.post(self.sandbox + self.path, json=body, headers=kept, timeout=60, stream=True) as answer,
            contextlib.suppress(OSError, requests.RequestException),  # the caller may leave, and a fault cut it
        ):
            self._hand_on(answer)

    def _hand_on(self, answer: requests.Response) -> None:
        if answer.headers["Content-Type"].startswith("text/event-stream"):
            self._begin(200, "text/event-stream")
            for line in answer.iter_lines(chunk_size=None):
                self.wfile.write(self._line(line))
        elif answer.ok:
            self._send(200, "application/json", json.dumps(bent(answer.json(), self.oddities)).encode())
        elif PLAIN_ERRORS in self.oddities:
            self._send(answer.status_code, "text/plain", b"upstream connect error or disconnect/reset before headers")
        else:
            self._send(answer.status_code, "application/json", json.dumps(bent(answer.json(), self.oddities)).encode())

    def _line(self, line: bytes) -> bytes:
        if UNFRAMED in self.oddities and (line.startswith(b"event:") or line == b"data: [DONE]"):
            return b""
        if not line.startswith(b"data: {"):
            return line + b"\n"
        return b"data: " + json.dumps(bent(json.loads(line[6:]), self.oddities)).encode() + b"\n"

    def _begin(self, status: int, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self._begin(status, kind)
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def bent(value: Any, oddities: frozenset[str]) -> Any:
    """A Response, an event or an error body, as the oddities have it."""
    bends: dict[str, Callable[[Any], Any]] = {BARE: _bare, FLOAT_TIMES: with_float_times, INT_CODES: with_int_codes}
    for name in sorted(oddities & bends.keys()):
        value = bends[name](value)
    return value


def _bare(value: Any) -> Any:
    if isinstance(value, list):
        return [_bare(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    if value.get("object") == "response":
        kept = {name: value[name] for name in _KEPT}
        return kept | {"output": _bare(kept["output"]), "usage": _bare_usage(kept["usage"])}
    left_out = _LEFT_OUT | ({"id", "status"} if "type" in value else set())
    return {name: _bare(entry) for name, entry in value.items() if name not in left_out}


def _bare_usage(usage: dict[str, Any] | None) -> dict[str, Any] | None:
    return usage and {name: usage[name] for name in _USAGE}
