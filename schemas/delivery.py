"""A delivery on the wire: one event that is owed to one receiver, and how its attempts went."""

from schemas.attempt import moment
from schemas.base import Base
from schemas.bounds import OneOf, Range
from schemas.event import ENDPOINT_EVENTS
from schemas.fields import Boolean, Integer, List, Number, Object, String

OPEN = ("pending", "sending", "retrying")
DEAD = ("exhausted", "gone", "blocked", "cancelled")
STATUSES = (*OPEN, "delivered", *DEAD)
TRIGGERS = ("schedule", "manual")


class DeliveryAttemptSchema(Base):
    """One POST; of one whose sender died on the way, nobody knows how it went: `error` is `unknown`."""

    number = Integer(required=True, validate=Range(min=1))
    started_at = moment(required=True, allow_none=True)
    latency_ms = Integer(required=True, allow_none=True)
    http_status = Integer(required=True, allow_none=True)
    error = String(required=True, allow_none=True, metadata={"description": "Why it failed."})
    answer = String(required=True, metadata={"description": "The first KiB of what was answered, as text."})
    location = String(required=True, allow_none=True, metadata={"description": "Where a redirect points to."})
    trigger = String(required=True, validate=OneOf(TRIGGERS, noun="trigger"))


class DeliverySchema(Base):
    object = String(required=True, validate=OneOf(("webhook_delivery",)))
    id = String(required=True)
    event_id = String(required=True)
    type = String(required=True, validate=OneOf(ENDPOINT_EVENTS, noun="event"))
    project = String(required=True)
    job_id = String(required=True, allow_none=True)
    endpoint_id = String(
        required=True, allow_none=True, metadata={"description": "null: the webhook that came with the job."}
    )
    origin = String(required=True, metadata={"description": "Scheme, host and port of the receiver."})
    status = String(required=True, validate=OneOf(STATUSES, noun="status"))
    created_at = moment(required=True)
    next_attempt_at = Number(
        required=True,
        allow_none=True,
        metadata={"description": "Unix seconds; not before its time, nor while its origin rests."},
    )
    ended_at = moment(required=True, allow_none=True)
    error = String(required=True, allow_none=True, metadata={"description": "Why it was not delivered."})
    attempts = List(Object(DeliveryAttemptSchema), required=True)


class DeliveryListSchema(Base):
    """Deliveries, the one that began last first; `after=last_id` asks for the next ones while `has_more` is true.

    A page may be short, or empty, though there are more: where few of those that were looked at have the status.
    """

    object = String(required=True, validate=OneOf(("list",)))
    data = List(Object(DeliverySchema), required=True)
    first_id = String(required=True, allow_none=True)
    last_id = String(required=True, allow_none=True)
    has_more = Boolean(required=True)


class JobDeliveryListSchema(Base):
    """All deliveries of a job's events."""

    object = String(required=True, validate=OneOf(("list",)))
    data = List(Object(DeliverySchema), required=True)


class ReplaySchema(Base):
    """Which dead deliveries are to be made once more."""

    since = Number(
        required=True,
        validate=Range(min=0, max=10**11),
        metadata={"description": "Unix seconds; those that began at that time or later."},
    )
    endpoint_id = String()


class ReplayedSchema(Base):
    object = String(required=True, validate=OneOf(("webhook_replay",)))
    replayed = Integer(required=True)
    has_more = Boolean(required=True, metadata={"description": "Whether the same call would find others."})
