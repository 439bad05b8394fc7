"""Where a job's events go: how that is asked for with the job, and how it is shown."""

from collections.abc import Sequence
from typing import Any

from marshmallow import ValidationError

from schemas.base import Base
from schemas.bounds import Length, OneOf
from schemas.event import JOB_EVENTS
from schemas.fields import Boolean, List, String

INCLUDES = ("id", "response")
MAX_URL_CHARACTERS = 2048
MAX_SECRET_CHARACTERS = 100


def target(**options: Any) -> String:
    """Where webhooks go; which hosts they may go to is judged elsewhere."""
    return String(
        validate=Length("characters", min=1, max=MAX_URL_CHARACTERS),
        metadata={"description": "https; plain http and private addresses where the service's operator admits them."},
        **options,
    )


def wanted(known: Sequence[str], **options: Any) -> List:
    """The types of events that are wanted."""
    return List(
        String(validate=OneOf(known, noun="event")),
        validate=[Length("events", min=1), unlike_each_other],
        metadata={"description": "All of them if left out or null.", "uniqueItems": True},
        allow_none=True,
        **options,
    )


def included(**options: Any) -> String:
    return String(
        validate=OneOf(INCLUDES, noun="content"),
        metadata={"description": "`id`, the default, or `response`: the Response stands in `data.response`."},
        **options,
    )


def signing_secret() -> String:
    return String(
        validate=Length("characters", max=MAX_SECRET_CHARACTERS),
        metadata={"description": "whsec_ and 24 to 64 bytes in base64; the project's secret signs if left out."},
    )


def unlike_each_other(values: Sequence[str]) -> Sequence[str]:
    if len(set(values)) < len(values):
        raise ValidationError("must not name one twice")
    return values


class WebhookCreateSchema(Base):
    url = target(required=True)
    secret = signing_secret()
    events = wanted(JOB_EVENTS)
    include = included()


class WebhookSchema(Base):
    url = String(required=True)
    events = wanted(JOB_EVENTS, required=True)
    include = included(required=True)
    has_secret = Boolean(required=True, metadata={"description": "Whether a secret came with the job."})
