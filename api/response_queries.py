"""The query strings of /v1/responses. Parameters that SDKs send and that change nothing here are passed over."""

from __future__ import annotations

from marshmallow import EXCLUDE, Schema, fields

from api.job_filter import JobFilterQuery
from api.queries import Number, switch
from schemas.bounds import OneOf, Range


class LenientQuery(Schema):
    class Meta:
        unknown = EXCLUDE


class ResponseQuery(LenientQuery):
    stream = switch("Answer with the response's events, from the first one on.")
    starting_after = Number(
        validate=Range(min=0), metadata={"description": "Of a stream: only what comes after the event of this number."}
    )


class ResponseListQuery(JobFilterQuery, LenientQuery):
    limit = Number(validate=Range(min=1, max=100), load_default=20)
    after = fields.String(metadata={"description": "The `last_id` of the page before."})
    order = fields.String(validate=OneOf(("desc",), noun="order"), metadata={"description": "Newest first."})


class InputItemQuery(LenientQuery):
    limit = Number(validate=Range(min=1, max=100), load_default=20)
    order = fields.String(validate=OneOf(("asc", "desc"), noun="order"), load_default="desc")
    after = fields.String(metadata={"description": "The id of the last item of the page before."})
