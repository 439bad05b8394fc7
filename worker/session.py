"""One requests Session a process: one TLS context, connections that can be hung up, nothing from the environment."""

from __future__ import annotations

import http.client
import math
import socket
import ssl
import time
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any

import certifi
import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from worker import calls

MOST_IDLE_SECONDS = 5.0
MOST_INTERIM = 20
"""Interim answers before the answer: a flood of them, read as fast as it comes, would leave the other calls no turn."""


def open_session(*, connections: int, proxy: str = "", ca_file: Path | None = None) -> requests.Session:
    """A session that keeps up to `connections` connections to one host, trusting `ca_file` or certifi's authorities."""
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # one job's answer must not mark the next call
    if proxy:
        session.proxies = {"http": proxy, "https": proxy}
    context = ssl.create_default_context(cafile=str(ca_file or certifi.where()))
    adapter = _Adapter(context, pool_connections=4, pool_maxsize=connections, max_retries=0)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


class _Adapter(HTTPAdapter):
    """Shares one TLS context: requests would parse the authorities' file again for every connection."""

    def __init__(self, context: ssl.SSLContext, **options: Any) -> None:
        self._context = context
        super().__init__(**options)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **options)
        _watch(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, ssl_context=self._context, **options)
        _watch(manager)
        return manager

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Verification itself stays: the shared context demands a certificate and checks its name."""


class FinalResponse(http.client.HTTPResponse):
    """Passes over interim answers. The standard library knows 100 alone: it would take a 103 for the whole answer,
    put the connection back, and hand the real answer to whoever uses it next.
    """

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(MOST_INTERIM + 1):
            version, status, reason = super()._read_status()  # type: ignore[misc]  # not in its published types
            if not 100 <= status < 200 or status == http.HTTPStatus.SWITCHING_PROTOCOLS:
                return version, status, reason
            http.client.parse_headers(self.fp)
        raise http.client.BadStatusLine("more interim answers than any endpoint needs")

    def begin(self) -> None:
        super().begin()
        if self.status < 200:
            self.will_close = True  # nobody asked to switch protocols: what follows is not for the next request


class WatchedConnection(HTTPConnection):
    """Tells the call that it serves which socket carries it."""

    response_class = FinalResponse
    rests_since = math.inf

    def connect(self) -> None:
        super().connect()
        self._tell()

    def request(self, *args: Any, **options: Any) -> None:
        self._tell()
        super().request(*args, **options)

    @property
    def is_connected(self) -> bool:
        """Whether the other side keeps it open and has said nothing; under gevent a look costs less than a poll."""
        if self.sock is None:
            return False
        carrier = self._carrier()
        seconds = carrier.gettimeout()
        try:
            carrier.settimeout(0.0)
            # Not the TLS socket's own: that one cannot look without taking.
            socket.socket.recv(carrier, 1, socket.MSG_PEEK)
        except BlockingIOError:
            carrier.settimeout(seconds)
            return True
        except OSError:
            return False
        return False

    def _tell(self) -> None:
        call = calls.current.get()
        if call is not None and self.sock is not None:
            call.uses(self._carrier())

    def _carrier(self) -> socket.socket:
        """TLS to an endpoint behind a TLS proxy is no socket, but has one."""
        found: socket.socket = getattr(self.sock, "socket", self.sock)
        return found


class WatchedTlsConnection(WatchedConnection, HTTPSConnection):
    """The same over TLS."""


class FreshConnections(HTTPConnectionPool):
    """Uses no connection again that rested longer than MOST_IDLE_SECONDS.

    Its server may be closing it just now, and a request that meets the close counts as sent with an unknown outcome.
    """

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection = super()._get_conn(timeout)
        if isinstance(connection, WatchedConnection) and connection.rests_since + MOST_IDLE_SECONDS < time.monotonic():
            connection.close()
        return connection

    def _put_conn(self, conn: Any) -> None:
        if isinstance(conn, WatchedConnection):
            conn.rests_since = time.monotonic()
        super()._put_conn(conn)


class _WatchedPool(FreshConnections):
    ConnectionCls = WatchedConnection


class _WatchedTlsPool(FreshConnections, HTTPSConnectionPool):
    ConnectionCls = WatchedTlsConnection


def _watch(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _WatchedPool, "https": _WatchedTlsPool}
