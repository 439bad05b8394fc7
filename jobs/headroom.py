"""What a project may still take of the limits that its callers meet at submit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """`reset_seconds`: until all of it is there again."""

    limit: int
    remaining: int
    reset_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Headroom:
    """None where the project has no such limit: `requests` are its submits a minute, `tokens` its tightest budget."""

    requests: Room | None = None
    tokens: Room | None = None


def read_headroom(text: bytes) -> Headroom:
    """What the scripts answer: `{"requests": {"limit", "remaining", "reset" in ms}, "tokens": {…}}`."""
    found = json.loads(text)
    return Headroom(**{name: _room(values) for name, values in found.items()}) if found else Headroom()


def _room(values: dict[str, Any]) -> Room:
    return Room(
        limit=int(values["limit"]), remaining=int(values["remaining"]), reset_seconds=float(values["reset"]) / 1000
    )
