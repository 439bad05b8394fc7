"""How to reach Redis: for ourselves and, in its own words, for Celery."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry
from redis.sentinel import Sentinel, SentinelManagedConnection, SentinelManagedSSLConnection

from jobs.connection_pools import BlockingPool, SentinelPool

CONNECT_SECONDS = 0.8
ANSWER_SECONDS = 1.6
PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """What Celery needs to reach the same Redis."""

    url: str
    transport_options: dict[str, object] = field(default_factory=dict)
    use_ssl: dict[str, object] | None = None


def connect(url: str, *, answer_seconds: float = ANSWER_SECONDS, connections: int = 4096) -> redis.Redis:
    """A client for `redis://`, `rediss://` or `redis+sentinel://USER:PASSWORD@HOST:PORT,HOST:PORT/MASTER/DB`.

    Bytes come back as bytes. A command is tried once more only if its connection had been closed, never
    after a timeout, so that an absent server is known within 2 s. `answer_seconds` bounds the wait for an answer, and
    for each PIECE_BYTES of a command to be taken. There are as many `connections` at most; of those that nobody takes
    for a while few stay open (jobs.connection_pools).
    """
    options = {
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": answer_seconds,
        "socket_keepalive": True,
        "health_check_interval": 0,
        # With them redis-py would hand out a connection of which an answer was left unread, and each next one be wrong.
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
        "retry": Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
    }
    if "+sentinel://" in url:
        return _sentinel_client(url, options | {"max_connections": connections})
    kind = _TlsConnection if url.startswith("rediss:") else _Connection
    pool = BlockingPool.from_url(
        url, timeout=CONNECT_SECONDS, max_connections=connections, connection_class=kind, **options
    )
    return redis.Redis(connection_pool=pool)


class _InPieces:
    """A socket's timeout bounds one sendall as a whole, so a large body over a slow link would be cut off."""

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        words = [command] if isinstance(command, str | bytes) else command
        super().send_packed_command(pieces(words), check_health)  # type: ignore[misc]


def pieces(words: Iterable[str | bytes | memoryview]) -> Iterator[bytes | memoryview]:
    """The same bytes in the same order, no piece longer than PIECE_BYTES."""
    for word in words:
        whole = memoryview(word.encode() if isinstance(word, str) else word)
        for start in range(0, len(whole), PIECE_BYTES):
            yield whole[start : start + PIECE_BYTES]


class _Connection(_InPieces, redis.Connection):
    """Over TCP."""


class _TlsConnection(_InPieces, redis.SSLConnection):
    """Over TLS."""


class _SentinelConnection(_InPieces, SentinelManagedConnection):
    """Over TCP to the master that a sentinel names."""


class _SentinelTlsConnection(_InPieces, SentinelManagedSSLConnection):
    """The same over TLS."""


def _sentinel_client(url: str, options: dict[str, object]) -> redis.Redis:
    nodes, master, database, user, password, tls = _sentinel_parts(url)
    login = {"username": user, "password": password, "ssl": tls}
    sentinel = Sentinel(
        nodes,
        sentinel_kwargs={
            # All of them are asked, twice, before the master counts as not found.
            "socket_connect_timeout": CONNECT_SECONDS / len(nodes),
            "socket_timeout": CONNECT_SECONDS / len(nodes),
            "retry": Retry(NoBackoff(), 0),
            "ssl": tls,
        },
        db=database,
        **login,
        **options,
    )
    kind = _SentinelTlsConnection if tls else _SentinelConnection
    client: redis.Redis = sentinel.master_for(master, connection_class=kind, connection_pool_class=SentinelPool)
    return client


def _sentinel_parts(url: str) -> tuple[list[tuple[str, int]], str, int, str | None, str | None, bool]:
    scheme, _, rest = url.partition("://")
    authority, _, path = rest.partition("/")
    login, _, hosts = authority.rpartition("@")
    user, _, password = login.partition(":")
    nodes = []
    for host in hosts.split(","):
        name, _, port = host.rpartition(":")
        nodes.append((name or port, int(port) if name else 26379))
    master, _, database = path.partition("/")
    return (
        nodes,
        master or "mymaster",
        int(database or 0),
        unquote(user) or None,
        unquote(password) or None,
        scheme.startswith("rediss"),
    )


def broker(url: str) -> Broker:
    """The same place in Celery's terms."""
    if "+sentinel://" not in url:
        return Broker(url=_with_tls_check(url))
    nodes, master, database, user, password, tls = _sentinel_parts(url)
    login = f"{quote(user or '', safe='')}:{quote(password, safe='')}@" if password else ""
    return Broker(
        url=";".join(f"sentinel://{login}{host}:{port}/{database}" for host, port in nodes),
        transport_options={"master_name": master, "sentinel_kwargs": {"ssl": tls}},
        use_ssl={"ssl_cert_reqs": "required"} if tls else None,
    )


def _with_tls_check(url: str) -> str:
    """Celery refuses `rediss://` that does not say how to check the certificate; checking it is our default."""
    parts = urlsplit(url)
    if parts.scheme != "rediss" or "ssl_cert_reqs" in dict(parse_qsl(parts.query)):
        return url
    query = f"{parts.query}&ssl_cert_reqs=required" if parts.query else "ssl_cert_reqs=required"
    return parts._replace(query=query).geturl()
