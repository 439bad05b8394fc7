"""An event on the wire: what a webhook carries, and what the feed lists."""

from schemas.base import Base, Open
from schemas.bounds import OneOf
from schemas.fields import Boolean, Integer, List, Object, String

JOB_EVENTS = ("response.completed", "response.failed", "response.incomplete", "response.cancelled")
"""What a job's end is told as."""

BATCH_EVENTS = ("batch.completed", "batch.failed", "batch.expired", "batch.cancelled")
"""What a batch's end is told as."""

ENDPOINT_EVENTS = (*JOB_EVENTS, *BATCH_EVENTS, "webhook_endpoint.disabled")
"""What an endpoint of a project may ask for."""


class EventDataSchema(Open):
    """`id` is what the event is about; `respool` what this service adds to it."""

    id = String(required=True)


class EventSchema(Base):
    object = String(required=True, validate=OneOf(("event",)))
    id = String(required=True, metadata={"description": "Also the webhook-id of every delivery of it."})
    type = String(required=True, validate=OneOf(ENDPOINT_EVENTS, noun="event"))
    created_at = Integer(required=True, metadata={"description": "Unix seconds."})
    data = Object(EventDataSchema, required=True)


class EventListSchema(Base):
    """Events, oldest first; `after=cursor` asks for what comes next, now or later."""

    object = String(required=True, validate=OneOf(("list",)))
    data = List(Object(EventSchema), required=True)
    cursor = String(required=True)
    has_more = Boolean(required=True)
