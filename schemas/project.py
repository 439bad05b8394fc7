"""A project on the wire: what it may take, and what it has taken."""

from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow.exceptions import SCHEMA

from schemas.base import Base
from schemas.bounds import OneOf, Range
from schemas.fields import Integer, List, Number, Object, String

LIMITS = (
    "weight", "max_queued", "max_in_flight", "submits_per_minute",
    "tokens_per_day", "tokens_per_month", "cost_per_day", "cost_per_month",
)  # fmt: skip
MOST = 10**12
MOST_SUBMITS = 10**6
MOST_COST = 10**6
UNLIMITED = {"description": "null: unlimited."}


def share(**options: Any) -> Number:
    """A project's share of a lane that several want."""
    return Number(validate=Range(min=0.001, max=1000), **options)


def count(*, at_most: int = MOST, **options: Any) -> Integer:
    return Integer(validate=Range(min=1, max=at_most), allow_none=True, metadata=UNLIMITED, **options)


def budget(**options: Any) -> Number:
    return Number(validate=Range(min=0, max=MOST_COST), allow_none=True, metadata=UNLIMITED, **options)


class ProjectChangeSchema(Base):
    """The limits to set; the others stay as they are."""

    weight = share(allow_none=True, metadata={"description": "null: 1."})
    max_queued = count()
    max_in_flight = count()
    submits_per_minute = count(at_most=MOST_SUBMITS)
    tokens_per_day = count()
    tokens_per_month = count()
    cost_per_day = budget()
    cost_per_month = budget()

    def rules(self, data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        if not any(name in data for name in LIMITS):
            yield SCHEMA, f"must name at least one of {', '.join(LIMITS)}"


class ProjectLimitsSchema(Base):
    weight = share(required=True)
    max_queued = count(required=True)
    max_in_flight = count(required=True)
    submits_per_minute = count(at_most=MOST_SUBMITS, required=True)
    tokens_per_day = count(required=True)
    tokens_per_month = count(required=True)
    cost_per_day = budget(required=True)
    cost_per_month = budget(required=True)


class TakenSchema(Base):
    tokens = Integer(required=True)
    cost = Number(required=True)


class ProjectSchema(Base):
    object = String(required=True, validate=OneOf(("project",)))
    id = String(required=True)
    limits = Object(ProjectLimitsSchema, required=True)
    queued = Integer(required=True)
    in_flight = Integer(required=True)
    held = Object(
        TakenSchema,
        required=True,
        metadata={"description": "Estimates of jobs that have not ended; budgets count them."},
    )
    today = Object(TakenSchema, required=True, metadata={"description": "Since midnight in UTC."})
    this_month = Object(TakenSchema, required=True, metadata={"description": "Since the first of the month in UTC."})
    currency = String(required=True)


class ProjectListSchema(Base):
    object = String(required=True, validate=OneOf(("list",)))
    data = List(Object(ProjectSchema), required=True)
