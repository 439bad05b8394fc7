"""From a validated body to a job in the store."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from flask import request
from marshmallow import ValidationError

from api.auth import caller
from api.body import digest
from api.refusal import Refusal
from api.services import services
from api.trail import trail
from api.webhook_body import webhook_of
from jobs.asked import Asked
from jobs.log_context import about
from jobs.new_job import NewJob
from jobs.record import JOB_PREFIX, Job
from jobs.store import Sameness, Submitted
from jobs.tracing import current
from jobs.waiting import Waiting
from jobs.webhooks.target import Webhook

MOST_KEY_CHARACTERS = 255
A_MOMENT_SECONDS = 0.1
"""Many are submitted in one, and share a look at what lies before them: workers, lanes, the jobs of other projects."""
MEANWHILE_SECONDS = 0.5
"""That old may it be while it is looked at anew, for which no submit waits then."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A submit and the job that it `asked` for, which an earlier submit may have made under another number."""

    asked: NewJob
    submitted: Submitted

    def job(self) -> tuple[Job, Waiting]:
        """As it was accepted, however quick a worker was, and what it waits for; one of an earlier submit as it is now.
        Raises StoreError.
        """
        store, waiting, found = services().store, services().waiting, self.submitted.accepted
        if found is None:
            job = store.get(self.submitted.number, project=None)
            return job, waiting.of([job])[job.number]
        job = store.accepted(self.asked, found)
        moment, meanwhile = A_MOMENT_SECONDS, MEANWHILE_SECONDS
        return job, waiting.of_accepted(job, found, seen_seconds=moment, meanwhile_seconds=meanwhile)


def submit(asked: Asked) -> Submission:
    """Accepts the job that is asked for. Raises Refusal, StoreError, ValidationError."""
    key = caller()
    intake = services().intake
    job = intake.new_job(asked, project=key.project, api_key=key.id, webhook=webhook(asked), trail=trail())
    submitted = services().store.submit(job, _sameness(asked))
    _tell(submitted, project=key.project)
    return Submission(asked=job, submitted=submitted)


def _tell(submitted: Submitted, *, project: str) -> None:
    job_id = JOB_PREFIX + submitted.number
    current().say(respool__job_id=job_id, respool__project=project)
    with about(job_id=job_id, project=project):
        log.info("%s accepted", job_id) if submitted.created else log.info("%s had been accepted before", job_id)


def webhook(asked: Asked) -> Webhook | None:
    """Where the job's events go. Raises ValidationError with the paths of its body, StoreUnavailable."""
    try:
        return webhook_of(asked.options)
    except ValidationError as error:
        messages: dict[str, Any] = error.messages_dict
        for name in reversed(asked.options_at):
            messages = {name: messages}
        raise ValidationError(messages) from error


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
