"""From which address a request comes, as far as that can be known."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

from flask import request

from api.services import services
from schemas.addresses import Network


def client_address() -> str:
    """That of the present request; "" where it came by a socket of this machine."""
    forwarded = request.headers.getlist("X-Forwarded-For")
    return behind(request.remote_addr or "", forwarded, services().settings.trusted_proxies)


def behind(peer: str, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """The last address on the way here that no trusted proxy has. `forwarded` holds the X-Forwarded-For headers.

    Each proxy adds to the end whom it heard from, so what stands before the word of a stranger is not looked at: he may
    have written it himself.
    """
    way = [part.strip() for header in forwarded for part in header.split(",")]
    nearest = peer
    while way and _is_among(nearest, trusted):
        if not _is_address(way[-1]):
            break
        nearest = way.pop()
    return nearest


def _is_among(address: str, networks: Sequence[Network]) -> bool:
    if not networks or not _is_address(address):
        return False
    known = ip_address(address)
    judged = getattr(known, "ipv4_mapped", None) or known
    return any(judged in network for network in networks)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
