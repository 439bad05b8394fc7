"""How many credentials that were none came from an address lately."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

import redis

from jobs import keys, scripts
from jobs.errors import StoreUnavailable

WINDOW_SECONDS = 60.0
PLACES = 65536
"""Among which all addresses are spread, so that nobody fills Redis by having many. Who shares a place with somebody
else hears sooner that there were too many; no valid key is ever refused for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TooMany:
    """`first`: no other one was too many in this window, which ends in `seconds`."""

    seconds: float
    first: bool


class WrongKeys:
    """`most` is how many a minute are told from an address that they were wrong."""

    def __init__(self, client: redis.Redis, *, most: int) -> None:
        self._client = client
        self._most = most

    def count(self, address: str) -> TooMany | None:
        """Counts one more; None if that is no more than `most`.

        Without a Redis that counts, nothing is too much.
        """
        call = scripts.Call(
            name="count_wrong_key",
            keys=[keys.wrong_keys(place_of(address))],
            args=[round(1000 * WINDOW_SECONDS)],
        )
        try:
            count, left_ms = scripts.run(self._client, call)
        except StoreUnavailable:
            return None
        if count <= self._most:
            return None
        return TooMany(seconds=max(1.0, left_ms / 1000), first=count == self._most + 1)


def place_of(address: str) -> int:
    """The same for all addresses of an IPv6 network of 64 bits, which one customer of a provider has to himself."""
    return int.from_bytes(hashlib.sha256(_network_of(address).encode()).digest()[:8]) % PLACES


def _network_of(address: str) -> str:
    try:
        known = ip_address(address.partition("%")[0])
    except ValueError:  # a socket of this machine has none
        return ""
    if not isinstance(known, IPv6Address):
        return str(known)
    return str(known.ipv4_mapped or ip_network((known, 64), strict=False))
