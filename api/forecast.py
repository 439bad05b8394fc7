"""What a job may take and when it would start, before there is one."""

from __future__ import annotations

from typing import Any

from api import job_view
from api.auth import caller
from api.services import services
from api.submission import idempotency_key, webhook
from jobs.asked import Asked
from jobs.errors import ProjectNotFound
from jobs.estimate import Estimate
from jobs.intake import backlog
from jobs.prices import amount
from jobs.projects import refusing_limit


def forecast(asked: Asked) -> dict[str, Any]:
    """What a submit would make of it now, as JobEstimateSchema shows it.

    Raises Refusal, StoreError, ValidationError.
    """
    idempotency_key()
    webhook(asked)
    model, tokens = asked.request["model"], services().intake.tokens(asked, project=caller().project)
    nano = services().intake.nano(model, tokens)
    waiting = services().waiting.of_new(
        backlog=backlog(asked), project=caller().project, priority=asked.priority, tokens=tokens.total_tokens
    )
    return {
        "object": "job.estimate",
        "model": model,
        "tokens": {"input": tokens.input_tokens, "output": tokens.output_tokens, "total": tokens.total_tokens},
        "cost": job_view.cost(model, nano),
        "currency": services().limits.currency,
        **job_view.dump_waiting(waiting),
        "refused_by": _refused_by(tokens, nano),
    }


def _refused_by(tokens: Estimate, nano: int) -> str | None:
    """The limit of the caller's project that would refuse the job now."""
    try:
        project = services().projects.get(caller().project)
    except ProjectNotFound:
        return None
    return refusing_limit(project, tokens=tokens.total_tokens, cost=amount(nano))
