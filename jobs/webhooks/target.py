"""Where the events of one job go."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

Include = Literal["id", "response"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """`origin` is SCHEME://HOST:PORT of `url`; `events` None: all; `secret` is sealed, None: the project's signs."""

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
