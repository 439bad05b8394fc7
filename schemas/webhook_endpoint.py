"""A webhook endpoint on the wire: a receiver that a project registered for its events."""

from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow.exceptions import SCHEMA

from schemas.attempt import moment
from schemas.base import Base
from schemas.bounds import Length, OneOf, printable
from schemas.event import ENDPOINT_EVENTS
from schemas.fields import List, Object, String
from schemas.webhook import included, target, wanted

STATUSES = ("enabled", "disabled")
DISABLED_REASONS = ("by_request", "gone", "failing")
CHANGEABLE = ("url", "events", "include", "description", "status")
MAX_DESCRIPTION_CHARACTERS = 200
SHOWN_ONCE = {"description": "What signs its webhooks (whsec_…); it is not shown again."}


def described(**options: Any) -> String:
    return String(validate=[Length("characters", max=MAX_DESCRIPTION_CHARACTERS), printable], **options)


class WebhookEndpointCreateSchema(Base):
    url = target(required=True)
    events = wanted(ENDPOINT_EVENTS)
    include = included()
    description = described()


class WebhookEndpointChangeSchema(Base):
    """What is named is changed; deliveries that are open go to the new address, or nowhere if it is disabled."""

    url = target()
    events = wanted(ENDPOINT_EVENTS)
    include = included()
    description = described()
    status = String(validate=OneOf(STATUSES, noun="status"))

    def rules(self, data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        if not any(name in data for name in CHANGEABLE):
            yield SCHEMA, f"must name at least one of {', '.join(CHANGEABLE)}"


class WebhookTestSchema(Base):
    type = String(validate=OneOf(ENDPOINT_EVENTS, noun="event"))


class WebhookEndpointSchema(Base):
    object = String(required=True, validate=OneOf(("webhook_endpoint",)))
    id = String(required=True)
    project = String(required=True)
    url = String(required=True)
    events = wanted(ENDPOINT_EVENTS, required=True)
    include = included(required=True)
    description = String(required=True)
    status = String(required=True, validate=OneOf(STATUSES, noun="status"))
    disabled_reason = String(
        required=True,
        allow_none=True,
        validate=OneOf(DISABLED_REASONS, noun="reason"),
        metadata={"description": "gone: it answered 410; failing: it has failed for days."},
    )
    disabled_at = moment(required=True, allow_none=True)
    created_at = moment(required=True)
    failing_since = moment(required=True, allow_none=True)
    last_success_at = moment(required=True, allow_none=True)
    last_failure_at = moment(required=True, allow_none=True)


class NewWebhookEndpointSchema(WebhookEndpointSchema):
    secret = String(required=True, metadata=SHOWN_ONCE)


class EndpointSecretSchema(Base):
    """The secret before this one signs for 24 hours more."""

    object = String(required=True, validate=OneOf(("webhook_secret",)))
    endpoint_id = String(required=True)
    secret = String(required=True, metadata=SHOWN_ONCE)


class ProjectSecretSchema(Base):
    """The secret before this one signs for 24 hours more."""

    object = String(required=True, validate=OneOf(("webhook_secret",)))
    project = String(required=True)
    secret = String(required=True, metadata=SHOWN_ONCE)


class WebhookEndpointListSchema(Base):
    """Oldest first."""

    object = String(required=True, validate=OneOf(("list",)))
    data = List(Object(WebhookEndpointSchema), required=True)
