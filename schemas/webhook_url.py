"""URLs that webhooks may be sent to, as far as the text alone tells. Names are not looked up here."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from schemas.addresses import why_forbidden
from schemas.allow import Allow
from schemas.hosts import in_url, is_address, normal_host

MOST_CHARACTERS = 2048
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")
DEFAULT_PORTS = {"http": 80, "https": 443}
NEVER_RECEIVERS = frozenset(
    {
        1433, 1521, 2049, 2181, 2375, 2376, 2379, 2380, 3306, 3389, 5432, 5672, 5900, 6379, 9042, 9092, 9200, 9300,
        10250, 11211, 26379, 27017, 27018, 27019,
    }
)  # fmt: skip
"""Ports from 1024 on where databases, brokers, container engines and remote desktops listen."""

# Parsers drop or reinterpret these in different ways, so that one sees another host than the next.
_TREACHEROUS = re.compile(r"[\x00-\x20\x7f\\\ud800-\udfff]")
_SHAPE = re.compile(r"(https?)://([^/?]*)(.*)", re.IGNORECASE | re.DOTALL)
_AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]+)(?::([0-9]{1,5}))?")
_ADMITS = "RESPOOL_WEBHOOK_ALLOW can admit it"


class UrlRefused(ValueError):
    """`str()` of it is a message for whoever gave the URL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookUrl:
    """`url`: what is requested, in ASCII. `host`: without brackets. `origin`: always with its port."""

    url: str
    scheme: str
    host: str
    port: int
    origin: str


def parse_webhook_url(text: str, *, allow: Allow, own: frozenset[str] = frozenset()) -> WebhookUrl:
    """The URL in one form, which parses to itself. Raises UrlRefused.

    `own` are the origins of this service: a job's end must not submit jobs.
    """
    try:
        url = _read(text)
    except ValueError as error:
        raise UrlRefused(str(error)) from None
    why = _why_refused(url, allow=allow, own=own)
    if why is not None:
        raise UrlRefused(why)
    return url


def origin_of(text: str) -> str:
    """The origin of an http(s) URL whatever may be sent there, as `WebhookUrl.origin` has it. Raises ValueError."""
    return _read(text).origin


@lru_cache(maxsize=64)
def same_origins(text: str) -> frozenset[str]:
    """The origin of an http(s) URL in every way of writing it: a loopback host has several. Raises ValueError."""
    url = _read(text)
    hosts = LOOPBACK_HOSTS if url.host in LOOPBACK_HOSTS else (url.host,)
    return frozenset(f"{url.scheme}://{in_url(host)}:{url.port}" for host in hosts)


def is_plain(scheme: str) -> bool:
    return scheme == "http"


def _read(text: str) -> WebhookUrl:
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"must have at most {MOST_CHARACTERS} characters")
    if _TREACHEROUS.search(text):
        raise ValueError("must not hold spaces, control characters, backslashes or lone surrogates")
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        raise ValueError("must start with https://")
    if "#" in text:
        raise ValueError("must not have a fragment")
    scheme, authority, rest = shape[1].lower(), shape[2], quote(shape[3], safe=string.punctuation)
    host, given = _host_and_port(authority)
    port = given or DEFAULT_PORTS[scheme]
    url = f"{scheme}://{in_url(host)}{f':{given}' if given else ''}{rest}"
    if len(url) > MOST_CHARACTERS:
        raise ValueError(f"must have at most {MOST_CHARACTERS} characters, those that are no ASCII encoded")
    return WebhookUrl(url=url, scheme=scheme, host=host, port=port, origin=f"{scheme}://{in_url(host)}:{port}")


def _host_and_port(authority: str) -> tuple[str, int | None]:
    if "@" in authority:
        raise ValueError("must not hold a user or password")
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        raise ValueError("must name a host, and a port only as :NUMBER")
    port = int(parts[2]) if parts[2] else None
    if port is not None and not 1 <= port <= 65535:
        raise ValueError("must name a port from 1 to 65535")
    return normal_host(parts[1]), port


def _why_refused(url: WebhookUrl, *, allow: Allow, own: frozenset[str]) -> str | None:
    if url.origin in own:
        return "must not point to this service itself"
    word = _forbidden(url.host)
    if word is not None and not _admitted(url, allow=allow):
        return f"must not point to a {word} address ({url.host}); {_ADMITS}"
    if is_plain(url.scheme) and not _may_be_plain(url, allow=allow):
        return f"must start with https://, which plain http receivers need not; {_ADMITS}"
    usual = url.port in (80, 443) or (url.port >= 1024 and url.port not in NEVER_RECEIVERS)
    if not usual and not allow.names_port(url.host, url.port):
        return f"must not name port {url.port}, where no receivers are; {_ADMITS} as host:port"
    return None


def _forbidden(host: str) -> str | None:
    if is_address(host):
        return why_forbidden(host)
    return "loopback" if host == "localhost" or host.endswith(".localhost") else None


def _admitted(url: WebhookUrl, *, allow: Allow) -> bool:
    addresses = [url.host] if is_address(url.host) else ["127.0.0.1", "::1"]
    return any(allow.admits(address, host=url.host, port=url.port) for address in addresses)


def _may_be_plain(url: WebhookUrl, *, allow: Allow) -> bool:
    """Of a name the address decides where networks are admitted, as soon as it is known."""
    if is_address(url.host):
        return allow.admits(url.host, host=url.host, port=url.port)
    return allow.has_networks or allow.admits_host(url.host, url.port)
