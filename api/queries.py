"""The query strings that views take: text that is read as numbers and dates within bounds."""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validates_schema

from api.job_filter import JobFilterQuery
from api.moments import Moment
from schemas.bounds import OneOf, Range
from schemas.delivery import STATUSES as DELIVERY_STATUSES
from schemas.file import ALL_PURPOSES, LEAST_EXPIRY_SECONDS, MOST_EXPIRY_SECONDS, PURPOSES
from schemas.job import STATUSES

ABSENT: dict[str, Any] = {"required": "is required"}


class Query(Schema):
    class Meta:
        unknown = RAISE

    error_messages = {"unknown": "unknown parameter"}  # noqa: RUF012 - marshmallow's own name and type


class Number(fields.Integer):
    default_error_messages = {"invalid": "must be a whole number"}  # noqa: RUF012 - marshmallow's own name and type


class Day(fields.Date):
    default_error_messages = {"invalid": "must be a day such as 2026-11-23"}  # noqa: RUF012 - as above


class Switch(fields.Boolean):
    default_error_messages = {"invalid": "must be true or false"}  # noqa: RUF012 - as above


def switch(description: str) -> fields.Boolean:
    return Switch(truthy={"true", "1"}, falsy={"false", "0"}, load_default=False, metadata={"description": description})


class SubmitQuery(Query):
    dry_run = switch("Store nothing; answer 200 with what the job would take and when it would start.")


class RawQuery(Query):
    raw = switch("Hand out the response as the upstream sent it.")


class JobListQuery(JobFilterQuery, Query):
    limit = Number(validate=Range(min=1, max=100), load_default=20)
    after = fields.String(metadata={"description": "The `last_id` of the page before."})


class DeliveryQuery(Query):
    limit = Number(validate=Range(min=1, max=100), load_default=20)
    after = fields.String(metadata={"description": "The `last_id` of the page before."})
    status = fields.String(
        validate=OneOf((*DELIVERY_STATUSES, "dead"), noun="status"),
        metadata={"description": "`dead`: exhausted, gone, blocked or cancelled."},
    )


class DeliveryListQuery(DeliveryQuery):
    endpoint_id = fields.String(metadata={"description": "Those owed to this webhook endpoint alone."})


class EventQuery(Query):
    after = fields.String(metadata={"description": "The `cursor` of the page before."})
    limit = Number(validate=Range(min=1, max=1000), load_default=100)
    project = fields.String(metadata={"description": "For admin keys; the key's own project if left out."})


class UsageQuery(Query):
    since = Day(data_key="from", metadata={"description": "First day (UTC); 30 days back by default."})
    until = Day(data_key="to", metadata={"description": "Last day (UTC); today by default."})
    model = fields.String()
    api_key = fields.String(metadata={"description": "The id of a key."})
    format = fields.String(
        validate=OneOf(("json", "csv"), noun="format"),
        metadata={"description": "What the Accept header prefers (`text/csv`) if left out."},
    )


class SeriesQuery(Query):
    step = fields.String(validate=OneOf(("minute", "hour"), noun="step"), load_default="minute")
    since = Moment(data_key="from", metadata={"description": "60 steps back by default: Unix seconds, or RFC 3339."})
    until = Moment(data_key="to", metadata={"description": "Included; now by default."})


class FileListQuery(Query):
    limit = Number(validate=Range(min=1, max=10000), load_default=100)
    order = fields.String(validate=OneOf(("asc", "desc"), noun="order"), load_default="desc")
    after = fields.String(metadata={"description": "The id of the last file of the page before."})
    purpose = fields.String(validate=OneOf(ALL_PURPOSES, noun="purpose"))


class BatchListQuery(Query):
    limit = Number(validate=Range(min=1, max=100), load_default=20)
    after = fields.String(metadata={"description": "The id of the last batch of the page before."})


class BatchLineQuery(Query):
    limit = Number(validate=Range(min=1, max=100), load_default=20)
    after = Number(
        validate=Range(min=0, max=2**31), load_default=0, metadata={"description": "The `cursor` of the page before."}
    )
    status = fields.String(validate=OneOf(STATUSES, noun="status"))


class FileLinkQuery(Query):
    expires = Number(required=True, validate=Range(min=0, max=2**53), error_messages=ABSENT)
    signature = fields.String(required=True, error_messages=ABSENT)


class FileForm(Query):
    """The fields of a form that uploads a file."""

    purpose = fields.String(required=True, validate=OneOf(PURPOSES, noun="purpose"), error_messages=ABSENT)
    anchor = fields.String(data_key="expires_after[anchor]", validate=OneOf(("created_at",), noun="anchor"))
    seconds = Number(
        data_key="expires_after[seconds]", validate=Range(min=LEAST_EXPIRY_SECONDS, max=MOST_EXPIRY_SECONDS)
    )

    @validates_schema
    def both_or_neither(self, data: dict[str, Any], **_: Any) -> None:
        if ("anchor" in data) != ("seconds" in data):
            raise ValidationError(
                {"expires_after": ["must have both expires_after[anchor] and expires_after[seconds]"]}
            )
