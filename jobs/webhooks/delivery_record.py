"""A delivery as its owner sees it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

DELIVERY_PREFIX = "dlv_"

FIELDS = (
    "project", "event", "type", "job", "endpoint", "origin", "status", "created", "since", "due", "ended", "error",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An event that is owed to a receiver. Times are in seconds; `attempts` as Tried and their numbers tell them.

    `job` is a job's number, None: the event is of none; `endpoint_id` None: the job's own webhook; `origin` is
    SCHEME://HOST:PORT.
    """

    number: str
    project: str
    event_id: str
    type: str
    job: str | None
    endpoint_id: str | None
    origin: str
    status: str
    created_at: float
    since: int
    next_attempt_at: float | None
    ended_at: float | None
    error: str | None
    attempts: Sequence[dict[str, Any]]

    @property
    def id(self) -> str:
        return DELIVERY_PREFIX + self.number


ORIGIN_FIELDS = ("open_until", "paused_until")


def delayed(delivery: Delivery, rests: Sequence[bytes | None]) -> Delivery:
    """The delivery as its origin, of which `rests` are the values of ORIGIN_FIELDS, lets it go."""
    if delivery.next_attempt_at is None:
        return delivery
    return replace(delivery, next_attempt_at=max([delivery.next_attempt_at, *(int(at) / 1000 for at in rests if at)]))


def read_delivery(number: str, values: Sequence[bytes | None], entries: Sequence[bytes]) -> Delivery:
    """From the values of FIELDS and the entries of its log."""
    raw = {name: (value or b"").decode() for name, value in zip(FIELDS, values, strict=True)}
    waits = raw["status"] in ("pending", "retrying") and raw["due"]
    return Delivery(
        number=number,
        project=raw["project"],
        event_id=raw["event"],
        type=raw["type"],
        job=raw["job"] or None,
        endpoint_id=raw["endpoint"] or None,
        origin=raw["origin"].removeprefix(f"{raw['project']}|"),
        status=raw["status"],
        created_at=int(raw["created"]) / 1_000_000,
        since=int(raw["since"]),
        next_attempt_at=int(raw["due"]) / 1000 if waits else None,
        ended_at=int(raw["ended"]) / 1000 if raw["ended"] else None,
        error=raw["error"] or None,
        attempts=[json.loads(entry) for entry in entries],
    )
