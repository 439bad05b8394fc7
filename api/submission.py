"""From a validated body to a job in the store."""

from __future__ import annotations

import json
from typing import Any

from flask import request

from api.asked import Asked
from api.auth import caller
from api.body import digest
from api.forecast import forecast, nano_of, priority_of, tokens_of
from api.refusal import Refusal
from api.services import services
from jobs.lanes import backlog_of
from jobs.record import NewJob, new_number
from jobs.store import Sameness, Submitted
from schemas.request import upstream_body

MOST_KEY_CHARACTERS = 255
NEVER_ECHOED = ("input", "respool")
"""The one is long, the other may hold a secret."""

UNSTORED_SECONDS = 600.0
"""How long what is not to be stored is kept for a caller who left before its answer came."""


def submit(asked: Asked) -> Submitted:
    """Accepts the job that is asked for. Raises Refusal, StoreError."""
    return services().store.submit(_new_job(asked), _sameness(asked))


def foresee(asked: Asked) -> dict[str, Any]:
    """What `submit` would make of it now, as JobEstimateSchema shows it. Raises Refusal, StoreError."""
    idempotency_key()
    asked.webhook()
    return forecast(asked, _backlog(asked))


def _new_job(asked: Asked) -> NewJob:
    options, settings, key, model = asked.options, services().settings, caller(), asked.request["model"]
    tokens = tokens_of(asked)
    return NewJob(
        number=new_number(),
        project=key.project,
        api_key=key.id,
        model=model,
        backlog=_backlog(asked),
        priority=priority_of(asked),
        body=_upstream_bytes(asked),
        echo=json.dumps({k: v for k, v in asked.request.items() if k not in NEVER_ECHOED}, ensure_ascii=False),
        metadata=asked.metadata,
        tokens=tokens.total_tokens,
        nano=nano_of(model, tokens),
        max_attempts=options.get("max_attempts", settings.max_attempts),
        on_unknown=options.get("on_unknown", settings.on_unknown),
        queue_deadline_seconds=options.get("queue_deadline_seconds"),
        run_timeout_seconds=options.get("run_timeout_seconds", settings.run_timeout_seconds),
        retention_seconds=settings.retention_seconds if asked.stored else UNSTORED_SECONDS,
        webhook=asked.webhook(),
    )


def _upstream_bytes(asked: Asked) -> bytes:
    """Raises a Refusal of 413 where the turns before the input make it too long."""
    sent = json.dumps(upstream_body(asked.whole), ensure_ascii=False, separators=(",", ":")).encode()
    bound = services().settings.max_body_bytes
    if asked.whole is not asked.request and len(sent) > bound:
        message = f"With the turns before it, the request is larger than {bound} bytes (RESPOOL_MAX_BODY_BYTES)."
        raise Refusal(413, message, param="previous_response_id", code="body_too_large")
    return sent


def _backlog(asked: Asked) -> str:
    return backlog_of(asked.request["model"], account=asked.options.get("account"))


def _sameness(asked: Asked) -> Sameness:
    retries = request.headers.get("x-stainless-retry-count", "")
    return Sameness(
        digest=digest(asked.body),
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
