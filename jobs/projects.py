"""The projects: what each may take, has taken, and holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import redis

from jobs import keys, scripts
from jobs.errors import ProjectNotFound
from jobs.limit_fields import Decimals, Whole, refuse_others
from jobs.prices import NANO, amount
from jobs.tenants import check_name
from jobs.usage import period_names

_COUNT = Whole(low=1, high=10**12)
_MONEY = Decimals(low=0, high=1_000_000)
FIELDS: Mapping[str, Whole | Decimals] = {
    "weight": Decimals(low=0.001, high=1000),
    "max_queued": _COUNT,
    "max_in_flight": _COUNT,
    "submits_per_minute": Whole(low=1, high=1_000_000),
    "tokens_per_day": _COUNT,
    "tokens_per_month": _COUNT,
    "cost_per_day": _MONEY,
    "cost_per_month": _MONEY,
}
"""What can be limited. Costs are in units of the currency."""

LIMIT_FIELDS = tuple(FIELDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectLimits:
    """None means unlimited. A project of weight 3 gets three turns for each one of a project of weight 1."""

    weight: float = 1.0
    max_queued: int | None = None
    max_in_flight: int | None = None
    submits_per_minute: int | None = None
    tokens_per_day: int | None = None
    tokens_per_month: int | None = None
    cost_per_day: float | None = None
    cost_per_month: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """`held_…` is what its jobs that have not ended are estimated to take; days and months are those of UTC."""

    name: str
    limits: ProjectLimits
    queued: int
    in_flight: int
    held_tokens: int
    held_cost: float
    tokens_today: int
    tokens_this_month: int
    cost_today: float
    cost_this_month: float


def check_change(values: Mapping[str, object]) -> dict[str, int | float | None]:
    """A change of a project's limits; None takes one away. Raises ValueError, which names the field and its bounds."""
    refuse_others(values, FIELDS)
    return {name: None if value is None else FIELDS[name].read(name, value) for name, value in values.items()}


def shown_limit(name: str, bound: int) -> tuple[str, str]:
    """A limit as the scripts name it, in the words of LIMIT_FIELDS, and its bound."""
    return (_outer(name), f"{amount(bound):.12g}") if name.startswith("nano_") else (name, str(bound))


def _inner(name: str) -> str:
    return name.replace("cost_", "nano_", 1) if name.startswith("cost_") else name


def _outer(name: str) -> str:
    return name.replace("nano_", "cost_", 1)


def refusing_limit(project: Project, *, tokens: int, cost: float) -> str | None:
    """The limit that would refuse a job that takes so much now, or None; submits a minute are not looked at."""
    limits = project.limits
    if limits.max_queued is not None and project.queued >= limits.max_queued:
        return "max_queued"
    takes = {
        "tokens_per_day": (tokens, project.tokens_today + project.held_tokens),
        "tokens_per_month": (tokens, project.tokens_this_month + project.held_tokens),
        "cost_per_day": (cost, project.cost_today + project.held_cost),
        "cost_per_month": (cost, project.cost_this_month + project.held_cost),
    }
    for name, (more, taken) in takes.items():
        bound = getattr(limits, name)
        if bound is not None and taken + more > bound:
            return name
    return None


class Projects:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def all(self) -> list[Project]:
        """By name. Raises StoreUnavailable."""
        with scripts.translated():
            names: Any = self._client.smembers(keys.PROJECTS)
        return self._read(sorted(name.decode() for name in names))

    def get(self, name: str) -> Project:
        """Raises ProjectNotFound, StoreUnavailable."""
        with scripts.translated():
            known = self._client.sismember(keys.PROJECTS, name)
        if not known:
            raise ProjectNotFound(name)
        return self._read([name])[0]

    def change(self, name: str, values: Mapping[str, int | float | None]) -> Project:
        """The project after its limits were changed, made if new; `values` as `check_change` gives them.

        Raises ValueError for a name that no project can have, StoreUnavailable.
        """
        check_name(name)
        words = [word for field, value in values.items() for word in (_inner(field), _stored(field, value))]
        scripts.run(self._client, scripts.Call(name="set_project", args=[name, *words]))
        return self.get(name)

    def _read(self, names: list[str]) -> list[Project]:
        with scripts.translated():
            seconds, _ = self._client.time()
            periods = period_names(seconds)
            with self._client.pipeline(transaction=False) as pipeline:
                for name in names:
                    pipeline.hgetall(keys.project(name))
                    pipeline.zcard(keys.index(name, "queued"))
                    pipeline.scard(keys.project_slots(name))
                    for period in periods:
                        pipeline.hmget(keys.spent(name, period), "tokens", "nano")
                answers = pipeline.execute()
        return [_project(name, answers[5 * i : 5 * i + 5]) for i, name in enumerate(names)]


def _stored(field: str, value: int | float | None) -> str | int | float:
    if value is None:
        return ""
    return round(value * NANO) if field.startswith("cost_") else value


def _project(name: str, answers: list[Any]) -> Project:
    kept, queued, in_flight, (day_tokens, day_nano), (month_tokens, month_nano) = answers
    held = {field.decode(): value for field, value in kept.items()}
    return Project(
        name=name,
        limits=_limits(held),
        queued=queued,
        in_flight=in_flight,
        held_tokens=int(held.get("held_tokens", 0)),
        held_cost=amount(int(held.get("held_nano", 0))),
        tokens_today=int(day_tokens or 0),
        tokens_this_month=int(month_tokens or 0),
        cost_today=amount(int(day_nano or 0)),
        cost_this_month=amount(int(month_nano or 0)),
    )


def _limits(held: Mapping[str, bytes]) -> ProjectLimits:
    values: dict[str, Any] = asdict(ProjectLimits())
    for field in LIMIT_FIELDS:
        text = held.get(_inner(field))
        if text is not None:
            values[field] = _read(field, text)
    return ProjectLimits(**values)


def _read(field: str, text: bytes) -> int | float:
    if field.startswith("cost_"):
        return amount(int(text))
    return float(text) if field == "weight" else int(text)
