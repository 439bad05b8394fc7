"""The URLs in a request that the endpoint fetches by itself, judged by their text: names are not looked up here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from schemas.addresses import why_forbidden
from schemas.hosts import is_address, normal_host

INSIDE = ("localhost", "local", "internal")
"""Last labels of names that no public server has."""


def inner_urls(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Path, and what is wrong, of each http(s) URL under a name that ends in `url` and names no public place."""
    match value:
        case Mapping():
            for name, held in value.items():
                here = f"{path}.{name}" if path else str(name)
                if isinstance(held, str) and str(name).endswith("url"):
                    yield from _judged(held, here)
                else:
                    yield from inner_urls(held, here)
        case list():
            for index, held in enumerate(value):
                yield from inner_urls(held, f"{path}[{index}]")
        case _:
            return


def _judged(text: str, path: str) -> Iterator[tuple[str, str]]:
    if text[:4].lower() == "http" and (why := _why_inner(text)) is not None:
        yield path, why


def _why_inner(url: str) -> str | None:
    try:
        bracketed = f"[{host}]" if ":" in (host := urlsplit(url).hostname or "") else host
        known = normal_host(bracketed)
    except ValueError as error:
        return str(error)
    if is_address(known):
        word = why_forbidden(known)
        return f"must not name a {word} address" if word else None
    if "." not in known or known.rpartition(".")[2] in INSIDE:
        return "must name a public host"
    return None


def first_inner_url(request: Mapping[str, Any]) -> tuple[str, str] | None:
    return next(inner_urls(request), None)
