"""A lane as it is handed out, and who sees which."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from api.auth import scope
from api.services import services
from jobs.lane_reader import LaneState
from jobs.lanes import model_of
from schemas.request import DEFAULT_MODELS


def dump(lane: LaneState) -> dict[str, Any]:
    return {
        "object": "lane",
        "id": lane.name,
        "account": lane.account,
        "model": lane.model,
        "state": lane.state,
        "reason": lane.reason,
        "paused_until": lane.paused_until,
        "limits": asdict(lane.limits),
        "changed": list(lane.changed),
        "now": {
            "requests_per_minute": lane.requests_per_minute,
            "tokens_per_minute": lane.tokens_per_minute,
            "in_flight": lane.width,
        },
        "in_flight": lane.in_flight,
        "waiting": lane.waiting,
        "requests_last_minute": lane.requests_last_minute,
        "tokens_last_minute": lane.tokens_last_minute,
        "run_seconds": {"p50": lane.run_seconds_p50, "p90": lane.run_seconds_p90},
    }


def seen(lanes: list[LaneState]) -> list[LaneState]:
    """Those that the caller may see: all of them for an admin. What others call their models is theirs: a member sees
    the lanes of models that the settings or the limits file name, and those that its own project uses."""
    project = scope()
    if project is None:
        return lanes
    limits = services().limits
    told = set(services().settings.models or DEFAULT_MODELS) | set(limits.models) | set(limits.prices)
    told |= {model for account in limits.accounts for model in account.models or ()}
    told |= {model_of(lane) for lane in limits.lanes}
    own = {lane.name for lane in services().lanes.used_by(project, lanes)}
    today = services().usage.today()
    used = {row.model for row in services().usage.rows(project=project, first=today - timedelta(days=1), last=today)}
    return [lane for lane in lanes if lane.model in told | used or lane.name in own]
