"""Connecting to receivers by addresses that were judged, and by no others."""

from __future__ import annotations

import logging
import socket
from collections.abc import Sequence
from ipaddress import ip_address

from schemas.addresses import why_forbidden
from schemas.allow import Allow
from schemas.hosts import is_address
from schemas.webhook_url import is_plain
from worker.calls import Call
from worker.webhooks.resolver import Address, Resolver
from worker.webhooks.results import Error
from worker.webhooks.shortage import is_shortage
from worker.webhooks.unconnected import Unconnected

MOST_TRIES = 4
CONNECT_SECONDS = 5.0

log = logging.getLogger(__name__)


class Guard:
    def __init__(self, *, allow: Allow) -> None:
        self._allow = allow
        self._resolver = Resolver()

    def connect(self, host: str, port: int, *, scheme: str, call: Call) -> socket.socket:
        """A connection to one of the addresses of `host`, all of which may be dialled. Raises Unconnected.

        The name is looked up once: what was judged is what is dialled.
        """
        error: Error = "connect_error"
        for family, address in self._judged(host, port, scheme=scheme, call=call)[:MOST_TRIES]:
            if call.hung_up or call.overdue:
                break
            try:
                return _dial(family, address, call=call)
            except TimeoutError:
                error = "connect_timeout"
            except OSError as failed:
                if is_shortage(failed):
                    raise Unconnected("too_many_open_files") from None
                error = "connect_error"
        raise Unconnected(error)

    def _judged(self, host: str, port: int, *, scheme: str, call: Call) -> Sequence[Address]:
        addresses = [_literal(host, port)] if is_address(host) else self._resolver.look_up(host, port, call=call)
        if not all(self._may_be_dialled(str(a[0]), host=host, port=port, scheme=scheme) for _, a in addresses):
            raise Unconnected("blocked_address")
        return addresses

    def _may_be_dialled(self, address: str, *, host: str, port: int, scheme: str) -> bool:
        if self._allow.admits(address, host=host, port=port):
            log.debug("RESPOOL_WEBHOOK_ALLOW admits a receiver: %s at %s", host, address)
            return True
        return not is_plain(scheme) and why_forbidden(address) is None


def _literal(host: str, port: int) -> Address:
    """Not asked of the resolver, where it would wait for names that hang."""
    return (socket.AF_INET6, (host, port, 0, 0)) if ":" in host else (socket.AF_INET, (host, port))


def _dial(family: socket.AddressFamily, address: tuple[str | int, ...], *, call: Call) -> socket.socket:
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(CONNECT_SECONDS)
        call.uses(connection)
        connection.connect(address)
        if ip_address(connection.getpeername()[0]) != ip_address(str(address[0])):
            raise Unconnected("blocked_address")
    except BaseException:
        connection.close()
        raise
    return connection
