"""Figures over time on the wire."""

from schemas.base import Base
from schemas.bounds import OneOf, Range
from schemas.fields import Integer, List, Number, Object, String


class QuantilesSchema(Base):
    """Seconds, within 5 %."""

    p50 = Number(required=True, validate=Range(min=0))
    p95 = Number(required=True, validate=Range(min=0))


class PointSchema(Base):
    """One minute or hour."""

    start = Integer(required=True, metadata={"description": "Its first second, since the epoch."})
    submitted = Integer(required=True)
    completed = Integer(required=True)
    failed = Integer(required=True)
    incomplete = Integer(required=True)
    cancelled = Integer(required=True)
    queue_seconds = Object(
        QuantilesSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Until their first start, of those that ended."},
    )
    run_seconds = Object(
        QuantilesSchema,
        required=True,
        allow_none=True,
        metadata={"description": "From their first start to the end, of those that ended and were not cancelled."},
    )


class SeriesSchema(Base):
    """A point for every step, oldest first."""

    object = String(required=True, validate=OneOf(("list",)))
    step = String(required=True, validate=OneOf(("minute", "hour"), noun="step"))
    data = List(Object(PointSchema), required=True)
