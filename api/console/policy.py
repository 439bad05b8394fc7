"""What a browser may do with a page: nothing but what comes from this service."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from flask import Response, g

PLAIN_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?\Z")


def origin_of(url: str) -> str | None:
    """SCHEME://HOST[:PORT] of an http or https URL as a policy can name it, or None."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:
        return None
    host = parts.hostname or ""
    origin = f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"
    return origin if PLAIN_ORIGIN.match(origin) else None


def allow_media_from(origin: str) -> None:
    """Lets the page of the present request show pictures and play films of `origin`, one that `origin_of` gave."""
    g.media_origin = origin


def protect(answer: Response) -> Response:
    """After every request of the console."""
    other = f" {g.media_origin}" if "media_origin" in g else ""
    answer.headers.setdefault(
        "Content-Security-Policy",
        f"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:{other}; "
        f"media-src 'self'{other}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    )
    answer.headers["X-Frame-Options"] = "DENY"
    # Not `no-referrer`: with that, browsers hide the origin of forms, which is what tells ours from others'.
    answer.headers["Referrer-Policy"] = "same-origin"
    answer.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return answer
