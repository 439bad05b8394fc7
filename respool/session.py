"""HTTP to the API: one question and its answer, the key that goes with it, and what a refusal says."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import MaxRetryError
from urllib3.response import BaseHTTPResponse
from urllib3.util import Retry

from respool.errors import Refused, Unreachable
from respool.target import Target
from respool.visible import in_one_line

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 60.0


class Patience(Retry):
    """It ends where the answer says that asking again is of no use."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: Any = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        if response is not None and response.headers.get("x-should-retry") == "false":
            raise MaxRetryError(_pool, url or "")
        return super().increment(method, url, response, error, _pool, _stacktrace)


TO_CONNECT = Retry(total=2, connect=2, read=0, status=0, other=0, backoff_factor=0.3)
"""For what is not safe to send twice."""

TO_ANSWER = Patience(
    total=4,
    connect=2,
    read=1,
    backoff_factor=0.3,
    status_forcelist=(429, 502, 503, 504),
    allowed_methods=None,
    respect_retry_after_header=True,
    retry_after_max=10,
    raise_on_status=False,
)


class Session:
    """Raises Unreachable if nobody answers and Refused if the answer is no, from every method."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._repeating = self._made(TO_ANSWER)
        self._careful = self._made(TO_CONNECT)

    def _made(self, retries: Retry) -> requests.Session:
        session = requests.Session()
        session.trust_env = not _loopback(self.target.url)
        session.auth = self._authorize
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=retries))
        return session

    def _authorize(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.target.api_key:
            request.headers["Authorization"] = f"Bearer {self.target.api_key}"
        return request

    def ask(self, method: str, path: str, **parts: Any) -> dict[str, Any]:
        """The answer's JSON object. A POST is sent again only if it has an Idempotency-Key."""
        answer = self.answer(method, path, **parts)
        document = _json(answer)
        if document is None:
            what = answer.headers.get("Content-Type") or "something of no type"
            raise Refused(f"{self.target.url} answers {what}, which is no JSON object; is it a respool?")
        return document

    def answer(self, method: str, path: str, *, seconds: float = ANSWER_SECONDS, **parts: Any) -> requests.Response:
        """As it came. `seconds` bounds the wait for each part of it; `parts` are those of requests."""
        safe = method != "POST" or "Idempotency-Key" in parts.get("headers", {})
        session = self._repeating if safe else self._careful
        try:
            answer = session.request(
                method, self.target.url + path, timeout=(CONNECT_SECONDS, seconds), allow_redirects=False, **parts
            )
        except requests.exceptions.SSLError as error:
            raise Unreachable(f"no TLS with {self.target.url}: {_reason(error)}; does it speak https?") from error
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.RetryError) as error:
            raise Unreachable(f"nothing answers at {self.target.url}; is the service running?") from error
        except (requests.RequestException, UnicodeError) as error:
            raise Unreachable(f"cannot ask {self.target.url}: {error}") from error
        if answer.is_redirect:
            to = answer.headers["Location"]
            raise Refused(
                f"{self.target.url} redirects to {to}; give the service's own address by --url or RESPOOL_URL"
            )
        if not answer.ok:
            raise _refused(answer.status_code, _json(answer))
        return answer

    @contextmanager
    def streamed(self, path: str, *, seconds: float = ANSWER_SECONDS, **parts: Any) -> Iterator[requests.Response]:
        """A GET whose body is still to be read."""
        answer = self.answer("GET", path, seconds=seconds, stream=True, **parts)
        with answer:
            yield answer


def _loopback(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return "localhost" in url and urlsplit(url).hostname == "localhost"


def _reason(error: Exception) -> str:
    """The last words of OpenSSL on it: `certificate verify failed: self-signed certificate`."""
    return str(error).rpartition("] ")[2].partition(" (_ssl")[0]


def _json(answer: requests.Response) -> dict[str, Any] | None:
    try:
        document = answer.json()
    except (ValueError, RecursionError, requests.RequestException):
        return None
    return document if isinstance(document, dict) else None


def _refused(http_status: int, document: dict[str, Any] | None) -> Refused:
    match document:
        case {"error": dict(error)}:
            code, param = error.get("code"), error.get("param")
        case _:
            code = param = None
    return Refused(refusal(http_status, document), http_status=http_status, code=_text(code), param=_text(param))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def refusal(http_status: int, document: dict[str, Any] | None) -> str:
    """The protocol's error object as text: one line with the field it is about, or a line for each mistake."""
    match document:
        case {"errors": [{"message": str()}, {"message": str()}, *_] as mistakes}:
            lines = [_about(mistake) for mistake in mistakes]
            return "\n".join([f"refused ({http_status}): {len(lines)} mistakes", *(f"  {line}" for line in lines)])
        case {"error": {"message": str()} as mistake}:
            return f"refused ({http_status}): {_about(mistake)}"
    return f"the service answered with HTTP {http_status} and no reason"


def _about(mistake: dict[str, Any]) -> str:
    message, param = str(mistake["message"]), mistake.get("param")
    named = not isinstance(param, str) or param in message
    return in_one_line(message if named else f"{param}: {message}")
