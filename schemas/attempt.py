"""One attempt of a job on the wire."""

from typing import Any

from schemas.base import Base
from schemas.bounds import OneOf, Range
from schemas.fields import Boolean, Integer, Number, Object, String
from schemas.usage import UsageSchema

OUTCOMES = ("running", "completed", "incomplete", "failed", "snoozed", "cancelled", "lost")
DELIVERIES = ("not_sent", "sent", "answered")


def moment(**options: Any) -> Number:
    return Number(metadata={"description": "Unix seconds."}, **options)


class AttemptErrorSchema(Base):
    code = String(required=True)
    message = String(required=True)


class AttemptSchema(Base):
    """One call of the endpoint."""

    number = Integer(required=True, validate=Range(min=1))
    started_at = moment(required=True)
    finished_at = moment(required=True, allow_none=True)
    worker = String(required=True, allow_none=True)
    account = String(required=True, allow_none=True)
    series = Integer(
        required=True,
        validate=Range(min=1),
        metadata={"description": "1, and one more with each retry by hand."},
    )
    outcome = String(required=True, validate=OneOf(OUTCOMES, noun="outcome"))
    delivery = String(required=True, validate=OneOf(DELIVERIES), metadata={"description": "How far the request got."})
    upstream_request_id = String(required=True, allow_none=True)
    upstream_response_id = String(required=True, allow_none=True)
    http_status = Integer(required=True, allow_none=True)
    may_be_billed = Boolean(required=True)
    usage = Object(UsageSchema, required=True, allow_none=True)
    error = Object(AttemptErrorSchema, required=True, allow_none=True)
