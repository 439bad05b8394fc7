"""Takes out of a text what no log may show: known secrets, what looks like one, and what stands in URLs for the same.

It stands behind those who write lines, none of whom should let a secret come this far.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

if TYPE_CHECKING:
    from jobs.settings import Settings

HIDDEN = "***"
LEAST_CHARACTERS = 6
"""What is shorter guards nothing, and would be found in every other word."""

_SIGNS = ("://", "?", "bearer", "ba", "rsp_", "whsec_", "sk-")
"""One of these is in all that a rule finds, once it is in lower case (where not every i and s is one of ASCII)."""

_RULES = (
    # Who logs in, in any URL.
    (re.compile(r"(://)[^/\s'\"]*@"), rf"\1{HIDDEN}@"),
    # The query of a URL or of a path.
    (re.compile(r"(?<=[^\s'\"(])\?[^\s'\"<>)]*=[^\s'\"<>)]*"), f"?{HIDDEN}"),
    (re.compile(r"(://[^\s'\"<>?]+)\?[^\s'\"<>]+"), rf"\1?{HIDDEN}"),
    (re.compile(r"\b(Bearer|Basic)\s+[^\s'\"]+", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"\b(rsp_|whsec_|sk-)[A-Za-z0-9+/_=-]{8,}"), rf"\1{HIDDEN}"),
)


class Hider:
    """`secrets` are hidden wherever they stand, as they are and as a URL would have them."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        words = {form for secret in secrets for form in (secret, quote(secret, safe=""), unquote(secret))}
        # The longest first: one may be a part of another.
        found = sorted((word for word in words if len(word) >= LEAST_CHARACTERS), key=len, reverse=True)
        self._known = re.compile("|".join(re.escape(word) for word in found)) if found else None

    def hide(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        plain = text.lower()
        if any(sign in plain for sign in _SIGNS):
            for pattern, shown in _RULES:
                text = pattern.sub(shown, text)
        return text


def secrets_of(settings: Settings) -> Iterator[str]:
    """What the settings hold that no log may show."""
    yield from (settings.secret, settings.api_key, settings.upstream_api_key, settings.webhook_secret)
    yield from (settings.metrics_token, *settings.old_secrets)
    yield settings.webhook_secret.removeprefix("whsec_")
    for url in (settings.redis_url, settings.upstream_proxy, settings.upstream_url):
        login = urlsplit(url).netloc.rpartition("@")[0]
        yield login
        yield login.partition(":")[2]
