"""Responses in a list, and one that was deleted."""

from schemas.base import Base
from schemas.bounds import OneOf
from schemas.fields import Boolean, List, Object, String
from schemas.respool_view import OwnResponseSchema


class ResponseListSchema(Base):
    """Responses, newest first; `after=last_id` asks for the next ones
    while `has_more` is true, also where a page is short.
    """

    object = String(required=True, validate=OneOf(("list",)))
    data = List(Object(OwnResponseSchema), required=True)
    first_id = String(required=True, allow_none=True)
    last_id = String(required=True, allow_none=True)
    has_more = Boolean(required=True)
    left_out = List(
        String(), required=True, metadata={"description": "Ids that a newer release wrote, which this one cannot read."}
    )


class DeletedResponseSchema(Base):
    id = String(required=True)
    object = String(required=True, validate=OneOf(("response",)))
    deleted = Boolean(required=True)
