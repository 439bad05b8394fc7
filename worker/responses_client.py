"""One POST to a Responses endpoint, bounded in time and size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import requests
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import DecodeError, HTTPError, ReadTimeoutError

from worker import calls, event_stream
from worker.calls import Call
from worker.errors import BrokenAnswer, CallError, Cut, HungUp, Stalled, TooLarge, Unreachable
from worker.event_stream import BrokenStream, LastState

CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer. `stream` is set instead of `body` where events came."""

    http_status: int
    headers: CaseInsensitiveDict[str]
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
    ) -> None:
        """`url` is the base to which `/responses` is added."""
        self._session = session
        self._url = f"{url}/responses"
        self._headers = {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "Accept-Encoding": "identity",
            "User-Agent": "respool",
        }
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._timeouts = (connect_timeout_seconds, read_timeout_seconds)
        self._max_bytes = max_bytes

    def create(self, body: bytes, *, idempotency_key: str, call: Call) -> Answer:
        """Sends `body`, answers what came. Raises CallError, which tells whether anything was sent."""
        token = calls.current.set(call)
        try:
            return self._create(body, idempotency_key, call)
        except (CallError, requests.RequestException, HTTPError, OSError, ValueError) as error:
            # A socket that is shut under its reader can show up as any of these.
            if call.hung_up:
                raise HungUp(call.hung_up, sent=call.connected) from error
            if isinstance(error, CallError):
                raise
            raise _translated(error, sent=call.connected) from error
        finally:
            calls.current.reset(token)

    def _create(self, body: bytes, idempotency_key: str, call: Call) -> Answer:
        headers = self._headers | {"Idempotency-Key": idempotency_key, "X-Client-Request-Id": idempotency_key}
        with self._session.post(
            self._url, data=body, headers=headers, timeout=self._timeouts, stream=True, allow_redirects=False
        ) as answer:
            call.hears(http_status=answer.status_code, request_id=request_id_of(answer.headers))
            chunks = self._chunks(answer)
            if answer.ok and answer.headers.get("Content-Type", "").lower().startswith("text/event-stream"):
                return self._followed(answer, chunks, call)
            whole = b"".join(chunks)
            if answer.ok and whole.lstrip().startswith((b"data:", b"event:")):
                return self._followed(answer, iter([whole]), call)  # a stream that does not call itself one
            return Answer(http_status=answer.status_code, headers=answer.headers, body=whole)

    def _followed(self, answer: requests.Response, chunks: Iterator[bytes], call: Call) -> Answer:
        state = LastState()
        try:
            event_stream.last_state(chunks, state=state)
        finally:
            call.response_id = state.response_id
        if state.response is None and state.error is None:
            raise Cut("the stream ended without a final event", sent=True)
        return Answer(http_status=answer.status_code, headers=answer.headers, stream=state)

    def _chunks(self, answer: requests.Response) -> Iterator[bytes]:
        """The body as it arrives; urllib3 notices a body that ends before its announced length."""
        size = 0
        while chunk := answer.raw.read1(CHUNK_BYTES, decode_content=True):
            size += len(chunk)
            if size > self._max_bytes:
                raise TooLarge(f"the answer is larger than {self._max_bytes} bytes", sent=True)
            yield chunk


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
