"""The requests that a Responses endpoint is sent, each bounded in time and size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote

import requests
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import DecodeError, HTTPError, ReadTimeoutError

from jobs.log_secrets import HIDDEN, LEAST_CHARACTERS
from jobs.tracing import UNTRACED, Tracer
from worker import calls, event_stream
from worker.calls import Call
from worker.errors import BrokenAnswer, CallError, Cut, HungUp, Stalled, TooLarge, Unreachable
from worker.event_stream import BrokenStream, LastState
from worker.file_body import FileBody
from worker.file_inputs import unfilled
from worker.wire import Wire, leave

CHUNK_BYTES = 64 * 1024
BRIEF_SECONDS = 30.0
"""The longest silence when a response is asked after by its id; nothing is made meanwhile."""
CANCEL_SECONDS = 5.0


Fill = Callable[[bytes, float], AbstractContextManager[bytes | FileBody]]
"""The request as it is to be sent, by a call that may take so many seconds. Raises CallError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer. `stream` is set instead of `body` where events came; `headers` finds names in any case."""

    http_status: int
    headers: Mapping[str, str]
    body: bytes = b""
    stream: LastState | None = None


class ResponsesClient:
    def __init__(
        self,
        session: requests.Session,
        *,
        url: str,
        api_key: str,
        connect_timeout_seconds: float,
        read_timeout_seconds: float,
        max_bytes: int,
        fill: Fill = unfilled,
        tracer: Tracer = UNTRACED,
    ) -> None:
        """`url` is the base to which `/responses` is added; `fill` puts the files into a request that names some."""
        self._fill = fill
        self._tracer = tracer
        headers = {
            "Accept": "application/json, text/event-stream",
            "Accept-Encoding": "identity",
            "User-Agent": "respool",
        }
        self._key = api_key.encode()
        if api_key:
            headers["Authorization"] = f"Bearer {api_key}"
        self._wire = Wire(session, url=f"{url}/responses", headers=headers)
        self._connect_seconds = connect_timeout_seconds
        self._read_seconds = read_timeout_seconds
        self._max_bytes = max_bytes

    def create(self, body: bytes, *, idempotency_key: str, call: Call) -> Answer:
        """Sends `body`, answers what came. Raises CallError, which tells whether anything was sent."""
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": idempotency_key,
            "X-Client-Request-Id": idempotency_key,
        }
        with self._fill(body, call.seconds) as filled:
            return self._send(call, method="POST", headers=headers, body=filled, read_seconds=self._read_seconds)

    def retrieve(self, response_id: str, *, call: Call) -> Answer:
        """The response of that id as it is now. Raises as `create`."""
        return self._send(
            call, method="GET", below=_place_of(response_id), read_seconds=min(BRIEF_SECONDS, self._read_seconds)
        )

    def resume(self, response_id: str, *, after: int | None, call: Call) -> Answer:
        """The events of the response of that id, from behind the one numbered `after` (None: from the first).

        One that cannot be streamed may be answered as it is now. Raises as `create`.
        """
        cursor = "" if after is None else f"&starting_after={after}"
        below = f"{_place_of(response_id)}?stream=true{cursor}"
        return self._send(call, method="GET", below=below, read_seconds=self._read_seconds)

    def cancel(self, response_id: str, *, call: Call) -> Answer:
        """Ends the response of that id, and answers what became of it. Raises as `create`."""
        below = f"{_place_of(response_id)}/cancel"
        return self._send(call, method="POST", below=below, read_seconds=min(CANCEL_SECONDS, self._read_seconds))

    def _send(
        self,
        call: Call,
        *,
        method: str,
        read_seconds: float,
        below: str = "",
        headers: Mapping[str, str] = MappingProxyType({}),
        body: bytes | FileBody | None = None,
    ) -> Answer:
        with self._tracer.span(f"{method} responses", kind="client") as span:
            traced = {"traceparent": span.traceparent} if span.traceparent else {}
            try:
                return self._called(
                    call,
                    method=method,
                    below=below,
                    read_seconds=read_seconds,
                    headers={**headers, **traced},
                    body=body,
                )
            finally:
                span.say(http__request__method=method, http__response__status_code=call.http_status)

    def _called(
        self,
        call: Call,
        *,
        method: str,
        below: str,
        read_seconds: float,
        headers: Mapping[str, str],
        body: bytes | FileBody | None,
    ) -> Answer:
        token = calls.current.set(call)
        try:
            answer = self._wire.ask(
                method,
                below,
                headers=headers,
                body=body,
                connect_seconds=min(self._connect_seconds, read_seconds),
                read_seconds=read_seconds,
            )
            try:
                return self._read(answer, call)
            finally:
                leave(answer)
        except (CallError, requests.RequestException, HTTPError, OSError, ValueError) as error:
            # A socket that is shut under its reader can show up as any of these.
            if call.hung_up:
                raise HungUp(call.hung_up, sent=call.connected) from error
            if isinstance(error, CallError):
                raise
            raise _translated(error, sent=call.connected) from error
        finally:
            calls.current.reset(token)
            call.leaves()

    def _read(self, answer: BaseHTTPResponse, call: Call) -> Answer:
        call.hears(http_status=answer.status, request_id=request_id_of(answer.headers))
        chunks, ok = self._chunks(answer), answer.status < 400
        if ok and answer.headers.get("Content-Type", "").lower().startswith("text/event-stream"):
            return self._followed(answer, chunks, call)
        whole = b"".join(chunks) if ok else self._without_key(b"".join(chunks))
        if ok and whole.lstrip().startswith((b"data:", b"event:")):
            return self._followed(answer, iter([whole]), call)  # a stream that does not call itself one
        return Answer(http_status=answer.status, headers=answer.headers, body=whole)

    def _without_key(self, refusal: bytes) -> bytes:
        """Endpoints tell a key that they refuse; the caller, whom the refusal is told to, must not hear it."""
        return refusal.replace(self._key, HIDDEN.encode()) if len(self._key) >= LEAST_CHARACTERS else refusal

    def _followed(self, answer: BaseHTTPResponse, chunks: Iterator[bytes], call: Call) -> Answer:
        state = LastState()
        try:
            event_stream.last_state(chunks, state=state, tell=call.tell)
        finally:
            if state.response_id:
                call.response = {"id": state.response_id}
        if state.response is None and state.error is None:
            raise Cut("the stream ended without a final event", sent=True)
        return Answer(http_status=answer.status, headers=answer.headers, stream=state)

    def _chunks(self, answer: BaseHTTPResponse) -> Iterator[bytes]:
        """The body as it arrives; urllib3 notices a body that ends before its announced length."""
        size = 0
        while chunk := answer.read1(CHUNK_BYTES, decode_content=True):
            size += len(chunk)
            if size > self._max_bytes:
                raise TooLarge(f"the answer is larger than {self._max_bytes} bytes", sent=True)
            yield chunk


def _place_of(response_id: str) -> str:
    return f"/{quote(response_id, safe='')}"


def request_id_of(headers: Mapping[str, str]) -> str | None:
    """By what the upstream knows the request."""
    return (headers.get("x-request-id") or "")[:128] or None


def _translated(error: Exception, *, sent: bool) -> CallError:
    if not sent:
        return Unreachable(f"the endpoint cannot be reached ({_cause(error)})", sent=False)
    if isinstance(error, requests.Timeout | ReadTimeoutError):
        return Stalled("the endpoint sent nothing for longer than the read timeout", sent=True)
    if isinstance(error, BrokenStream):
        return BrokenAnswer(str(error), sent=True)
    if isinstance(error, DecodeError):
        return BrokenAnswer("the answer cannot be unpacked", sent=True)
    return Cut("the connection ended before the answer did", sent=True)


def _cause(error: BaseException) -> str:
    """One word for why no connection came about; never an address."""
    text = repr(error)
    for sign, cause in (
        ("CERTIFICATE_VERIFY", "its certificate is not trusted"),
        ("SSL", "TLS failed"),
        ("NameResolution", "its name is not known"),
        ("refused", "connection refused"),
        ("imed out", "connecting took too long"),
        ("Proxy", "the proxy refused"),
    ):
        if sign in text:
            return cause
    return "no connection"
