"""When a job may start and what it may take, told before it does."""

from schemas.base import Base
from schemas.bounds import OneOf, Range
from schemas.fields import Integer, Number, Object, String


class EtaSchema(Base):
    """Seconds from now until the job starts: as likely less as more, and less in nine of ten cases."""

    p50_seconds = Number(required=True)
    p90_seconds = Number(required=True)


class EstimatedTokensSchema(Base):
    input = Integer(required=True)
    output = Integer(required=True)
    total = Integer(required=True)


def place() -> Integer:
    """A place in the queue, from 1; null if the job does not wait."""
    told = {"description": "1: the next of its project for this model."}
    return Integer(required=True, allow_none=True, validate=Range(min=1), metadata=told)


def ahead() -> Integer:
    """How many jobs of all projects go first; null if the job does not wait."""
    told = {"description": "How many jobs of all projects go first, estimated."}
    return Integer(required=True, allow_none=True, validate=Range(min=0), metadata=told)


def amount() -> Number:
    return Number(
        required=True,
        allow_none=True,
        metadata={"description": "In `currency`; null where no price of the model is known."},
    )


class JobEstimateSchema(Base):
    """What a submit of this body would make, if it came now."""

    object = String(required=True, validate=OneOf(("job.estimate",)))
    model = String(required=True)
    tokens = Object(EstimatedTokensSchema, required=True)
    cost = amount()
    currency = String(required=True)
    position = place()
    jobs_ahead = ahead()
    eta = Object(EtaSchema, required=True, allow_none=True)
    waiting_reason = String(required=True, allow_none=True)
    refused_by = String(
        required=True,
        allow_none=True,
        metadata={"description": "The limit of the project for which a submit would be a 429 now; null if none."},
    )
