"""A lane as it is handed out."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from jobs.lane_reader import LaneState


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
