"""Webhooks, their endpoints and their deliveries as they are handed out; no secret is among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from api.services import services
from jobs.record import JOB_PREFIX
from jobs.webhooks.delivery_record import Delivery
from jobs.webhooks.endpoint_record import Endpoint
from jobs.webhooks.target import shown_url

ATTEMPT_FIELDS = ("number", "started_at", "latency_ms", "http_status", "error", "location")


def dump(webhook: Mapping[str, Any]) -> dict[str, Any]:
    """That of a job, from its record."""
    return {
        "url": shown_url(webhook, services().vault),
        "events": webhook.get("events"),
        "include": webhook["include"],
        "has_secret": "secret" in webhook,
    }


def dump_endpoint(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "object": "webhook_endpoint",
        "id": endpoint.id,
        "project": endpoint.project,
        "url": endpoint.url,
        "events": None if endpoint.events is None else list(endpoint.events),
        "include": endpoint.include,
        "description": endpoint.description,
        "status": endpoint.status,
        "disabled_reason": endpoint.disabled_reason,
        "disabled_at": endpoint.disabled_at,
        "created_at": endpoint.created_at,
        "failing_since": endpoint.failing_since,
        "last_success_at": endpoint.last_success_at,
        "last_failure_at": endpoint.last_failure_at,
    }


def dump_deliveries(deliveries: Sequence[Delivery]) -> list[dict[str, Any]]:
    return [dump_delivery(delivery) for delivery in deliveries]


def dump_delivery(delivery: Delivery) -> dict[str, Any]:
    return {
        "object": "webhook_delivery",
        "id": delivery.id,
        "event_id": delivery.event_id,
        "type": delivery.type,
        "project": delivery.project,
        "job_id": JOB_PREFIX + delivery.job if delivery.job else None,
        "endpoint_id": delivery.endpoint_id,
        "origin": delivery.origin,
        "status": delivery.status,
        "created_at": delivery.created_at,
        "next_attempt_at": delivery.next_attempt_at,
        "ended_at": delivery.ended_at,
        "error": delivery.error,
        "attempts": [_attempt(entry) for entry in delivery.attempts],
    }


def _attempt(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What was lost on the way has little to tell."""
    told = {name: entry.get(name) for name in ATTEMPT_FIELDS}
    return told | {"answer": entry.get("answer", ""), "trigger": entry.get("trigger", "schedule")}
