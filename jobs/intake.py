"""From what is asked for to a job that the store can take."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jobs.asked import Asked
from jobs.conversation import with_earlier_turns
from jobs.errors import RequestRefused, RequestTooLarge
from jobs.estimate import Estimate, estimate
from jobs.files import Files
from jobs.lanes import backlog_of
from jobs.limits import Limits
from jobs.named_files import named_files
from jobs.new_job import NewJob
from jobs.record import new_number
from jobs.settings import Settings
from jobs.store import JobStore
from jobs.trail import Trail
from jobs.webhooks.target import Webhook
from schemas.fetched_urls import first_inner_url
from schemas.request import upstream_body

NEVER_ECHOED = ("input", "respool")
"""The one is long, the other may hold a secret."""

NO_TRAIL = Trail()

UNSTORED_SECONDS = 600.0
"""How long what is not to be stored is kept for a caller who left before its answer came."""


class Intake:
    """`files` is None where this service keeps none."""

    def __init__(self, settings: Settings, limits: Limits, store: JobStore, files: Files | None) -> None:
        self._settings = settings
        self._limits = limits
        self._store = store
        self._files = files

    def new_job(
        self, asked: Asked, *, project: str, api_key: str, webhook: Webhook | None = None, trail: Trail = NO_TRAIL
    ) -> NewJob:
        """Raises RequestRefused, StoreUnavailable."""
        options, settings, model = asked.options, self._settings, asked.request["model"]
        self._keep_outside(asked.request)
        whole = with_earlier_turns(asked, self._store, project=project)
        tokens = self._tokens(asked, whole, project=project)
        return NewJob(
            number=new_number(),
            project=project,
            api_key=api_key,
            model=model,
            backlog=backlog(asked),
            priority=asked.priority,
            body=self._sent(asked, whole),
            echo=json.dumps({k: v for k, v in asked.request.items() if k not in NEVER_ECHOED}, ensure_ascii=False),
            metadata=asked.metadata,
            tokens=tokens.total_tokens,
            nano=self.nano(model, tokens),
            max_attempts=options.get("max_attempts", settings.max_attempts),
            on_unknown=options.get("on_unknown", settings.on_unknown),
            queue_deadline_seconds=options.get("queue_deadline_seconds"),
            run_timeout_seconds=options.get("run_timeout_seconds", settings.run_timeout_seconds),
            retention_seconds=settings.retention_seconds if asked.stored else UNSTORED_SECONDS,
            webhook=webhook,
            trail=trail,
        )

    def _keep_outside(self, request: Mapping[str, Any]) -> None:
        """Raises RequestRefused where the endpoint stands in a network of its own, which it must not fetch from."""
        if self._settings.fetched_addresses == "public" and (found := first_inner_url(request)) is not None:
            param, why = found
            message = f"{param}: {why} (RESPOOL_FETCHED_ADDRESSES)"
            raise RequestRefused(message, param=param, code="forbidden_address")

    def tokens(self, asked: Asked, *, project: str) -> Estimate:
        """What it may take. Raises RequestRefused, StoreUnavailable."""
        return self._tokens(asked, with_earlier_turns(asked, self._store, project=project), project=project)

    def _tokens(self, asked: Asked, whole: Mapping[str, Any], *, project: str) -> Estimate:
        return estimate(
            whole,
            self._limits.estimate,
            video_seconds=asked.options.get("video_seconds"),
            stated_tokens=asked.options.get("estimated_tokens"),
            files=named_files(asked, whole, self._files, project=project),
        )

    def nano(self, model: str, tokens: Estimate) -> int:
        """What the tokens would cost, in 10^-9 of the currency; 0 without a price."""
        price = self._limits.prices.get(model)
        return price.nano_of(input_tokens=tokens.input_tokens, output_tokens=tokens.output_tokens) if price else 0

    def _sent(self, asked: Asked, whole: Mapping[str, Any]) -> bytes:
        """The bytes that go upstream. Raises RequestTooLarge where the turns before the input make them too many."""
        sent = json.dumps(upstream_body(whole), ensure_ascii=False, separators=(",", ":")).encode()
        bound = self._settings.max_body_bytes
        if whole is not asked.request and len(sent) > bound:
            message = f"With the turns before it, the request is larger than {bound} bytes (RESPOOL_MAX_BODY_BYTES)."
            raise RequestTooLarge(message, param="previous_response_id", code="body_too_large")
        return sent


def backlog(asked: Asked) -> str:
    return backlog_of(asked.request["model"], account=asked.options.get("account"))
