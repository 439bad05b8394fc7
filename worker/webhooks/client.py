"""One POST to a receiver, bounded in time and size, by way of the guard."""

from __future__ import annotations

import contextlib
import http.client
import ssl
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import certifi
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, Timeout
from urllib3.exceptions import HTTPError, ProtocolError
from urllib3.exceptions import TimeoutError as PoolTimeout
from urllib3.util import parse_url

from schemas.allow import Allow
from schemas.webhook_url import UrlRefused, WebhookUrl, parse_webhook_url
from worker import calls
from worker.calls import STOPPING, Call
from worker.webhooks.connections import GuardedPools
from worker.webhooks.guard import Guard
from worker.webhooks.results import Answered, Error, Failed
from worker.webhooks.shortage import Alarm
from worker.webhooks.unconnected import Unconnected

MOST_ANSWER_BYTES = 16 * 1024
KNOWN_URLS = 4096

# What a receiver, its address or a hang-up can make of a call. A socket that is shut under its reader shows up as any.
_BROKEN = (HTTPError, http.client.HTTPException, OSError, ValueError)


class WebhookClient:
    """Follows no redirect, asks no proxy, keeps no cookie; nothing of the environment counts."""

    def __init__(
        self,
        *,
        allow: Allow,
        own: frozenset[str],
        timeout_seconds: float,
        connections: int,
        ca_file: Path | None,
    ) -> None:
        """`own`: origins of this service. `connections`: how many calls there are at a time; as many may be idle.

        The whole of a call is bounded by whoever hangs up on it; `timeout_seconds` bounds a silence.
        """
        context = ssl.create_default_context(cafile=str(ca_file or certifi.where()))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._pools = GuardedPools(
            Guard(allow=allow),
            silence_seconds=timeout_seconds,
            most_idle=connections,
            num_pools=connections,
            block=False,
            ssl_context=context,
        )
        # urllib3 sends under the bound of connecting; the guard, which connects, has one of its own.
        self._timeout = Timeout(connect=timeout_seconds, read=timeout_seconds)
        self._alarm = Alarm()
        self._headers = {
            "Content-Type": "application/json",
            "User-Agent": f"respool/{version('respool')} (webhooks)",
            "Accept": "*/*",
            "Accept-Encoding": "identity",
        }

        @lru_cache(maxsize=KNOWN_URLS)
        def read(url: str) -> tuple[WebhookUrl, str]:
            found = parse_webhook_url(url, allow=allow, own=own)
            return found, parse_url(found.url).request_uri

        self._read_url = read

    def post(self, url: str, *, body: bytes, headers: Mapping[str, str], call: Call) -> Answered | Failed:
        """Sends `body`; never raises for what a receiver or its address does."""
        try:
            to, path = self._read_url(url)
        except UrlRefused:
            return Failed(error="blocked_url")
        token = calls.current.set(call)
        try:
            return self._answer(self._send(to, path, body=body, headers=headers))
        except Unconnected as unconnected:
            if unconnected.error == "too_many_open_files":
                self._alarm.sound()
            return Failed(error=_why_unconnected(unconnected.error, call=call))
        except _BROKEN as error:
            return Failed(error=_why_broken(error, call=call))
        finally:
            calls.current.reset(token)
            call.leaves()

    def tidy(self) -> None:
        """Closes the connections that rested too long; to be called every second or so."""
        self._pools.tidy()

    def close(self) -> None:
        self._pools.clear()

    def _send(self, to: WebhookUrl, path: str, *, body: bytes, headers: Mapping[str, str]) -> BaseHTTPResponse:
        pool: HTTPConnectionPool = self._pools.connection_from_host(to.host, to.port, to.scheme)
        return pool.urlopen(
            "POST",
            path,
            body=body,
            headers={**self._headers, **headers},
            retries=False,
            redirect=False,
            assert_same_host=False,
            timeout=self._timeout,
            preload_content=False,
            decode_content=False,
        )

    def _answer(self, response: BaseHTTPResponse) -> Answered:
        return Answered(http_status=response.status, headers=response.headers, answer=_start_of(response))


def _start_of(response: BaseHTTPResponse) -> bytes:
    """What comes of the body, up to MOST_ANSWER_BYTES. The head said all that counts: a cut body is none the less one.

    The connection is kept if the body ended within that.
    """
    read = bytearray()
    with contextlib.suppress(*_BROKEN):
        while len(read) <= MOST_ANSWER_BYTES:
            piece = response.read1(MOST_ANSWER_BYTES + 1 - len(read), decode_content=False)
            if not piece:
                return bytes(read)
            read += piece
    response.close()
    return bytes(read[:MOST_ANSWER_BYTES])


def _why_unconnected(error: Error, *, call: Call) -> Error:
    if error in ("blocked_address", "too_many_open_files"):
        return error
    if call.hung_up == STOPPING:
        return "stopping"
    if error != "dns_error" and (call.hung_up or call.overdue):
        return "connect_timeout"
    return error


def _why_broken(error: Exception, *, call: Call) -> Error:
    if call.hung_up == STOPPING:
        return "stopping"
    told = error.args[-1] if isinstance(error, ProtocolError) and error.args else error
    if call.hung_up or call.overdue or isinstance(told, PoolTimeout | TimeoutError):
        return "timeout"
    return "connection_cut"
