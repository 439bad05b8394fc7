"""Where the events of one job go."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

from jobs.errors import Unsealable
from jobs.vault import Vault

Include = Literal["id", "response"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """`origin` is SCHEME://HOST:PORT of `url`; `events` None: all; `secret` None: the project's signs.

    `secret` is sealed, and so is `url`: its path and query may let in whoever knows them.
    """

    url: str
    origin: str
    events: tuple[str, ...] | None = None
    include: Include = "id"
    secret: str | None = None

    def as_json(self) -> str:
        """As the record keeps it, and the scripts read it: what is None is absent."""
        values = {
            "url": self.url,
            "origin": self.origin,
            "events": self.events,
            "include": self.include,
            "secret": self.secret,
        }
        return json.dumps({name: value for name, value in values.items() if value is not None})


def open_url(kept: str, vault: Vault) -> str:
    """The URL that a record keeps sealed, or as it is where an older release wrote it. Raises Unsealable,
    StoreUnavailable."""
    return kept if kept.startswith(("http://", "https://")) or not kept else vault.open(kept)


def guarded_parts(url: str) -> list[str]:
    """What may let in whoever knows it: path and query, together and alone, and the query's values."""
    parts = urlsplit(url)
    return [f"{parts.path}?{parts.query}", parts.path, parts.query, *(value for _, value in parse_qsl(parts.query))]


def shown_url(webhook: Mapping[str, Any], vault: Vault) -> str:
    """That of a record's webhook, for those who may see it; its origin where it cannot be opened. Raises
    StoreUnavailable."""
    try:
        return open_url(webhook["url"], vault)
    except Unsealable:
        return str(webhook["origin"])
