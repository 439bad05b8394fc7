"""The processes that do the work, on the wire."""

from schemas.attempt import moment
from schemas.base import Base
from schemas.bounds import OneOf, Range
from schemas.fields import Boolean, Integer, List, Number, Object, String


class WorkerSchema(Base):
    """A process whose lease runs."""

    object = String(required=True, validate=OneOf(("worker",)))
    id = String(required=True)
    kind = String(
        required=True,
        validate=OneOf(("worker", "sender")),
        metadata={"description": "A worker does jobs, a sender delivers webhooks."},
    )
    slots = Integer(
        required=True, validate=Range(min=0), metadata={"description": "How much it does at a time; 0 while it drains."}
    )
    in_use = Integer(required=True, validate=Range(min=0))
    stalled = Boolean(
        required=True, metadata={"description": "It left what it was given unclaimed, and has claimed nothing since."}
    )
    lease_seconds = Number(required=True, metadata={"description": "Until it counts as lost if it is not heard of."})
    host = String(required=True)
    pid = Integer(required=True)
    started_at = moment(required=True)


class WorkerListSchema(Base):
    """The workers, then the senders, each by id."""

    object = String(required=True, validate=OneOf(("list",)))
    data = List(Object(WorkerSchema), required=True)
