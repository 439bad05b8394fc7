"""From a validated body to a job in the store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import request

from api.auth import caller
from api.body import digest
from api.errors import Refusal
from api.services import services
from jobs.estimate import estimate_tokens
from jobs.lanes import lane_of
from jobs.record import NewJob, new_number
from jobs.settings import Settings
from jobs.store import Sameness, Submitted
from schemas.request import upstream_body

MOST_KEY_CHARACTERS = 255


def submit(body: Mapping[str, Any]) -> Submitted:
    """Accepts the job that `body`, valid by JobCreateSchema, asks for. Raises Refusal, StoreError."""
    return services().store.submit(_new_job(body, services().settings), _sameness(body))


def _new_job(body: Mapping[str, Any], settings: Settings) -> NewJob:
    asked = body["request"]
    key = caller()
    metadata = body.get("metadata") if body.get("metadata") is not None else asked.get("metadata")
    return NewJob(
        number=new_number(),
        project=key.project,
        api_key=key.id,
        model=asked["model"],
        lane=lane_of(asked["model"]),
        body=json.dumps(upstream_body(asked), ensure_ascii=False, separators=(",", ":")).encode(),
        echo=json.dumps({name: value for name, value in asked.items() if name != "input"}, ensure_ascii=False),
        metadata=metadata or {},
        tokens=estimate_tokens(asked),
        max_attempts=body.get("max_attempts", settings.max_attempts),
        on_unknown=body.get("on_unknown", settings.on_unknown),
        queue_deadline_seconds=body.get("queue_deadline_seconds"),
        run_timeout_seconds=body.get("run_timeout_seconds", settings.run_timeout_seconds),
        retention_seconds=settings.retention_seconds,
    )


def _sameness(body: Mapping[str, Any]) -> Sameness:
    retries = request.headers.get("x-stainless-retry-count", "")
    return Sameness(
        digest=digest(body),
        key=_idempotency_key(request.headers.get("Idempotency-Key")),
        retries=int(retries[:6]) if retries.isascii() and retries.isdigit() else None,
    )


def _idempotency_key(text: str | None) -> str | None:
    if text is None:
        return None
    if not 1 <= len(text) <= MOST_KEY_CHARACTERS or not text.isprintable():
        raise Refusal(
            400,
            f"Idempotency-Key must be 1 to {MOST_KEY_CHARACTERS} printable characters, got {len(text)}.",
            param="Idempotency-Key",
            code="invalid_value",
        )
    return text
