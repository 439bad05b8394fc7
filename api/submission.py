"""From a validated body to a job in the store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import request

from api.auth import caller
from api.body import digest
from api.forecast import forecast, nano_of, priority_of, tokens_of
from api.refusal import Refusal
from api.services import services
from api.webhook_body import webhook_of
from jobs.lanes import backlog_of
from jobs.record import NewJob, new_number
from jobs.store import Sameness, Submitted
from schemas.request import upstream_body

MOST_KEY_CHARACTERS = 255


def submit(body: Mapping[str, Any]) -> Submitted:
    """Accepts the job that `body`, valid by JobCreateSchema, asks for. Raises Refusal, StoreError."""
    return services().store.submit(_new_job(body), _sameness(body))


def foresee(body: Mapping[str, Any]) -> dict[str, Any]:
    """What `submit` of this body would make now, as JobEstimateSchema shows it. Raises Refusal, StoreError."""
    idempotency_key()
    webhook_of(body)
    return forecast(body, _backlog(body))


def _new_job(body: Mapping[str, Any]) -> NewJob:
    asked, settings, key = body["request"], services().settings, caller()
    metadata = body.get("metadata") if body.get("metadata") is not None else asked.get("metadata")
    tokens = tokens_of(body)
    return NewJob(
        number=new_number(),
        project=key.project,
        api_key=key.id,
        model=asked["model"],
        backlog=_backlog(body),
        priority=priority_of(body),
        body=json.dumps(upstream_body(asked), ensure_ascii=False, separators=(",", ":")).encode(),
        echo=json.dumps({name: value for name, value in asked.items() if name != "input"}, ensure_ascii=False),
        metadata=metadata or {},
        tokens=tokens.total_tokens,
        nano=nano_of(asked["model"], tokens),
        max_attempts=body.get("max_attempts", settings.max_attempts),
        on_unknown=body.get("on_unknown", settings.on_unknown),
        queue_deadline_seconds=body.get("queue_deadline_seconds"),
        run_timeout_seconds=body.get("run_timeout_seconds", settings.run_timeout_seconds),
        retention_seconds=settings.retention_seconds,
        webhook=webhook_of(body),
    )


def _backlog(body: Mapping[str, Any]) -> str:
    return backlog_of(body["request"]["model"], account=body.get("account"))


def _sameness(body: Mapping[str, Any]) -> Sameness:
    retries = request.headers.get("x-stainless-retry-count", "")
    return Sameness(
        digest=digest(body),
        key=idempotency_key(),
        retries=int(retries[:6]) if retries.isascii() and retries.isdigit() else None,
    )


def idempotency_key() -> str | None:
    """That of the present request. Raises Refusal for one that is too long or not printable."""
    text = request.headers.get("Idempotency-Key")
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
