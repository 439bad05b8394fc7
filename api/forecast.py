"""What a job may take and when it would start, before there is one."""

from __future__ import annotations

from typing import Any

from api import job_view
from api.asked import Asked
from api.auth import caller
from api.file_references import named_files
from api.services import services
from jobs.errors import ProjectNotFound
from jobs.estimate import Estimate, estimate
from jobs.prices import amount
from jobs.projects import refusing_limit
from schemas.respool_options import DEFAULT_PRIORITY


def forecast(asked: Asked, backlog: str) -> dict[str, Any]:
    """The job that is asked for, were it put into `backlog` now.

    Of the shape of JobEstimateSchema. Raises StoreUnavailable.
    """
    model, tokens = asked.request["model"], tokens_of(asked)
    waiting = services().waiting.of_new(
        backlog=backlog, project=caller().project, priority=priority_of(asked), tokens=tokens.total_tokens
    )
    return {
        "object": "job.estimate",
        "model": model,
        "tokens": {"input": tokens.input_tokens, "output": tokens.output_tokens, "total": tokens.total_tokens},
        "cost": job_view.cost(model, nano_of(model, tokens)),
        "currency": services().limits.currency,
        **job_view.dump_waiting(waiting),
        "refused_by": _refused_by(tokens, nano_of(model, tokens)),
    }


def _refused_by(tokens: Estimate, nano: int) -> str | None:
    """The limit of the caller's project that would refuse the job now."""
    try:
        project = services().projects.get(caller().project)
    except ProjectNotFound:
        return None
    return refusing_limit(project, tokens=tokens.total_tokens, cost=amount(nano))


def priority_of(asked: Asked) -> int:
    return int(asked.options.get("priority", DEFAULT_PRIORITY))


def tokens_of(asked: Asked) -> Estimate:
    """Raises a Refusal of 400 for a file that the request names and may not."""
    return estimate(
        asked.whole,
        services().limits.estimate,
        video_seconds=asked.options.get("video_seconds"),
        stated_tokens=asked.options.get("estimated_tokens"),
        files=named_files(asked),
    )


def nano_of(model: str, tokens: Estimate) -> int:
    """What the tokens would cost, in 10^-9 of the currency; 0 without a price."""
    price = services().limits.prices.get(model)
    return price.nano_of(input_tokens=tokens.input_tokens, output_tokens=tokens.output_tokens) if price else 0
