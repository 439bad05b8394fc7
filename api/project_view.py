"""A project as it is handed out."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from jobs.projects import Project, ProjectLimits


def dump(project: Project, *, currency: str) -> dict[str, Any]:
    return {
        "object": "project",
        "id": project.name,
        "limits": asdict(project.limits),
        "queued": project.queued,
        "in_flight": project.in_flight,
        "held": {"tokens": project.held_tokens, "cost": project.held_cost},
        "today": {"tokens": project.tokens_today, "cost": project.cost_today},
        "this_month": {"tokens": project.tokens_this_month, "cost": project.cost_this_month},
        "currency": currency,
    }


def untouched(name: str) -> Project:
    """A project that has a key and nothing else yet."""
    return Project(
        name=name,
        limits=ProjectLimits(),
        queued=0,
        in_flight=0,
        held_tokens=0,
        held_cost=0.0,
        tokens_today=0,
        tokens_this_month=0,
        cost_today=0.0,
        cost_this_month=0.0,
    )
