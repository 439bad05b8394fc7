"""A webhook endpoint as the store keeps it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict, cast

from jobs.record import number_of
from jobs.vault import Vault
from jobs.webhooks.target import Include, shown_url
from schemas.webhook_url import WebhookUrl

ENDPOINT_PREFIX = "we_"

FIELDS = (
    "project", "url", "origin", "events", "include", "description", "status", "disabled_reason", "disabled_at",
    "created", "failing_since", "last_success", "last_failure",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """`origin` is SCHEME://HOST:PORT; `events` None: all of them. Times are in seconds.

    `disabled_reason` is by_request, gone (it answered 410) or failing (for days).
    """

    id: str
    project: str
    url: str
    origin: str
    events: tuple[str, ...] | None
    include: Include
    description: str
    status: str
    disabled_reason: str | None
    disabled_at: float | None
    created_at: float
    failing_since: float | None
    last_success_at: float | None
    last_failure_at: float | None


class EndpointChange(TypedDict, total=False):
    """What is absent stays as it is; `status` is enabled or disabled."""

    url: WebhookUrl
    events: Sequence[str] | None
    include: Include
    description: str
    status: str


def is_endpoint_id(text: str) -> bool:
    return number_of(text, ENDPOINT_PREFIX) is not None


def stored(change: EndpointChange, vault: Vault) -> dict[str, str]:
    """The fields of the record that the change sets, the URL sealed. Raises StoreUnavailable."""
    fields: dict[str, str] = {
        name: str(change[name]) for name in ("include", "description", "status") if name in change
    }
    if "url" in change:
        fields |= {"url": vault.seal(change["url"].url), "origin": change["url"].origin}
    if "events" in change:
        fields["events"] = json.dumps(change["events"]) if change["events"] is not None else ""
    return fields


def read_endpoint(endpoint_id: str, values: Sequence[bytes | None], vault: Vault) -> Endpoint:
    """From the values of FIELDS. Raises StoreUnavailable."""
    raw = {name: (value or b"").decode() for name, value in zip(FIELDS, values, strict=True)}
    return Endpoint(
        id=endpoint_id,
        project=raw["project"],
        url=shown_url(raw, vault),
        origin=raw["origin"],
        events=tuple(json.loads(raw["events"])) if raw["events"] else None,
        include=cast(Include, raw["include"]),
        description=raw["description"],
        status=raw["status"],
        disabled_reason=raw["disabled_reason"] or None,
        disabled_at=_seconds(raw["disabled_at"]),
        created_at=int(raw["created"]) / 1000,
        failing_since=_seconds(raw["failing_since"]),
        last_success_at=_seconds(raw["last_success"]),
        last_failure_at=_seconds(raw["last_failure"]),
    )


def _seconds(milliseconds: str) -> float | None:
    return int(milliseconds) / 1000 if milliseconds else None
