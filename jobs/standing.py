"""What of a project bears upon its jobs that wait."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from redis.client import Pipeline

from jobs import keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Why none of its jobs may start (parked), and its own bound of calls in flight."""

    blocked: str
    weight: float
    max_in_flight: int | None
    in_flight: int


def ask_standing(pipeline: Pipeline, project: str) -> None:
    """Has the pipeline ask for it; `read_standing` takes the two answers."""
    pipeline.hmget(keys.project(project), "blocked", "weight", "max_in_flight")
    pipeline.scard(keys.project_slots(project))


def read_standing(values: Sequence[bytes | None], in_flight: int) -> Standing:
    blocked, weight, most = values
    return Standing(
        blocked=(blocked or b"").decode(),
        weight=float(weight or 1),
        max_in_flight=int(most) if most else None,
        in_flight=in_flight,
    )
