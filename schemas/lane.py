"""A lane on the wire: how fast and how wide one upstream account × model runs, and how that is changed."""

from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow.exceptions import SCHEMA

from schemas.base import Base
from schemas.bounds import Length, OneOf, Range, printable
from schemas.fields import Integer, List, Number, Object, String

STATES = ("open", "paused", "probing", "slowed")
LIMITS = ("requests_per_minute", "tokens_per_minute", "in_flight", "ramp_per_second", "burst")
MOST = 10**12
MAX_PAUSE_SECONDS = 30 * 24 * 3600
MAX_REASON_CHARACTERS = 200
NULL = {"description": "null: what the limits file says."}


def count(**options: Any) -> Integer:
    return Integer(validate=Range(min=1, max=MOST), **options)


def rate(**options: Any) -> Number:
    """Calls in flight that may be added a second."""
    return Number(validate=Range(min=0.01, max=100_000), **options)


def because(**options: Any) -> String:
    """A reason, which is shown and logged."""
    return String(validate=[Length("characters", min=1, max=MAX_REASON_CHARACTERS), printable], **options)


class LaneChangeSchema(Base):
    """Limits that hold until they are changed again, whatever is started anew."""

    requests_per_minute = count(allow_none=True, metadata=NULL)
    tokens_per_minute = count(allow_none=True, metadata=NULL)
    in_flight = count(allow_none=True, metadata=NULL)
    ramp_per_second = rate(allow_none=True, metadata=NULL)
    burst = count(allow_none=True, metadata=NULL)
    reason = because(required=True)

    def rules(self, data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        if not any(name in data for name in LIMITS):
            yield SCHEMA, f"must name at least one of {', '.join(LIMITS)}"


class LanePauseSchema(Base):
    seconds = Number(
        validate=Range(min=0, min_inclusive=False, max=MAX_PAUSE_SECONDS),
        metadata={"exclusiveMinimum": 0, "description": "If left out, the lane stays paused until it is resumed."},
    )
    reason = because()


class LaneResumeSchema(Base):
    reason = because()


class LaneLimitsSchema(Base):
    """What holds by the limits file and by changes since; null is unlimited."""

    requests_per_minute = count(required=True, allow_none=True)
    tokens_per_minute = count(required=True, allow_none=True)
    in_flight = count(required=True)
    ramp_per_second = rate(required=True, allow_none=True)
    burst = count(required=True, allow_none=True)


class LaneNowSchema(Base):
    """What is allowed at present, which the upstream's refusals make less; null is unlimited."""

    requests_per_minute = Number(required=True, allow_none=True)
    tokens_per_minute = Number(required=True, allow_none=True)
    in_flight = Integer(required=True)


class RunSecondsSchema(Base):
    """How long calls took of late; null before the first."""

    p50 = Number(required=True, allow_none=True)
    p90 = Number(required=True, allow_none=True)


class LaneSchema(Base):
    object = String(required=True, validate=OneOf(("lane",)))
    id = String(required=True, metadata={"description": "ACCOUNT:MODEL"})
    account = String(required=True)
    model = String(required=True)
    state = String(required=True, validate=OneOf(STATES, noun="state"))
    reason = String(required=True, allow_none=True)
    paused_until = Number(
        required=True, allow_none=True, metadata={"description": "Unix seconds; null while paused: until resumed."}
    )
    limits = Object(LaneLimitsSchema, required=True)
    changed = List(
        String(validate=OneOf(LIMITS, noun="limit")),
        required=True,
        metadata={"description": "The limits that no longer come from the file."},
    )
    now = Object(LaneNowSchema, required=True)
    in_flight = Integer(required=True)
    waiting = Integer(required=True)
    requests_last_minute = Integer(required=True)
    tokens_last_minute = Integer(required=True)
    run_seconds = Object(RunSecondsSchema, required=True)


class LaneListSchema(Base):
    object = String(required=True, validate=OneOf(("list",)))
    data = List(Object(LaneSchema), required=True)
