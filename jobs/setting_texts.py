"""How the texts of settings are read: each reader takes a text, and raises ValueError that names the bound."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from jobs.webhooks.secrets import check_secret
from schemas.addresses import Network

MOST_STEPS = 50
MOST_DAYS = 7


def whole(low: int, high: int = 2**53) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or len(text) > 20 or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(text)

    return read


def seconds(low: float, high: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise ValueError(f"must be a number of seconds from {low:g} to {high:g}")
        return value

    return read


def choice(*names: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in names:
            raise ValueError(f"must be one of {', '.join(names)}")
        return text

    return read


def _url(*schemes: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        scheme, separator, rest = text.partition("://")
        if scheme not in schemes or not separator or not rest or any(c.isspace() for c in text):
            raise ValueError(f"must be a URL that starts with {', '.join(s + '://' for s in schemes)}")
        return text.rstrip("/")

    return read


def http_url(text: str) -> str:
    url = _url("http", "https")(text)
    try:
        urlsplit(url).port  # noqa: B018 - reading it checks it
    except ValueError:
        raise ValueError("must name a port from 0 to 65535") from None
    return url


_HOST = r"(?:\[[0-9A-Fa-f:.]+\]|[^\s/:@,\[\]?]+)(?::(?:[0-5]?\d{1,4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5]))?"
_REDIS_URL = re.compile(
    rf"rediss?://(?:[^/]*@)?{_HOST}(?:/\d*)?(?:\?.*)?|rediss?\+sentinel://(?:[^/]*@)?{_HOST}(?:,{_HOST})*(?:/[^/?]+(?:/\d+)?)?"
)


def redis_url(text: str) -> str:
    url = _url("redis", "rediss", "redis+sentinel", "rediss+sentinel")(text)
    if not _REDIS_URL.fullmatch(url):
        raise ValueError("must be redis://USER:PASSWORD@HOST:PORT/NUMBER or redis+sentinel://HOST:PORT,…/MASTER/NUMBER")
    return url


def file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise ValueError("must name a file that exists")
    return path


def folder(text: str) -> Path:
    path = Path(text)
    if path.exists() and not path.is_dir():
        raise ValueError("must name a folder, or one that can be made")
    return path


def header_text(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise ValueError("must be printable ASCII, since it is sent in a header")
    return text


def signing_secret(text: str) -> str:
    check_secret(text)
    return text


def schedule(text: str) -> tuple[float, ...]:
    wait = seconds(0, MOST_DAYS * 86400)
    steps = tuple(wait(part.strip()) for part in text.split(","))
    if len(steps) > MOST_STEPS or sum(steps) > MOST_DAYS * 86400:
        raise ValueError(f"must hold at most {MOST_STEPS} numbers of seconds, all together at most {MOST_DAYS} days")
    if steps[0]:
        raise ValueError("must begin with 0: the first attempt is made at once")
    return steps


def networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError:
        raise ValueError("must be comma-separated addresses and networks, such as 10.0.0.0/8") from None


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise ValueError("must be a comma-separated list of model names, or *")
    return names
