"""The filters that lists of jobs and of responses take."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask import request
from marshmallow import Schema, ValidationError, fields, pre_load, validates_schema

from api.moments import Moment
from jobs.job_filter import JobFilter
from schemas.bounds import Length, OneOf
from schemas.job import STATUSES

PAIR = re.compile(r"metadata\[(.+)\]", re.DOTALL)
KNOWN = OneOf(STATUSES, noun="status")

METADATA = {
    "in": "query",
    "name": "metadata",
    "description": "`metadata[customer]=42`: those that have this pair; of several pairs, each.",
    "style": "deepObject",
    "explode": True,
    "schema": {"type": "object", "additionalProperties": {"type": "string"}},
}
"""As the description of the API tells it: names of its parameters are the caller's own."""


class Statuses(fields.List[str]):
    """Given once, or several times, or with commas between."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        given = [value] if isinstance(value, str) else value
        return tuple(dict.fromkeys(KNOWN(word) for text in given for word in str(text).split(",")))


class JobFilterQuery(Schema):
    """For the query strings of lists to be made from."""

    status = Statuses(
        fields.String(validate=KNOWN),
        metadata={"description": "One of these statuses: `status=failed&status=cancelled`, or with commas between."},
    )
    model = fields.String(validate=Length("characters", min=1))
    created_after = Moment(metadata={"description": "Submitted then or later: Unix seconds, or RFC 3339."})
    created_before = Moment(metadata={"description": "Submitted earlier than then: Unix seconds, or RFC 3339."})

    @pre_load
    def in_brackets(self, data: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        """Without the pairs of metadata, which `wanted` reads; a list may be called `status[]`, as SDKs do."""
        plain = {name: data[name] for name in data if not PAIR.fullmatch(name) and name != "status[]"}
        listed = request.args.getlist("status[]")
        return plain | ({"status": [*plain.get("status", []), *listed]} if listed else {})

    @validates_schema
    def in_order(self, data: dict[str, Any], **_: Any) -> None:
        after, before = data.get("created_after"), data.get("created_before")
        if after is not None and before is not None and after >= before:
            raise ValidationError({"created_after": ["must be earlier than created_before"]})


def wanted(query: Mapping[str, Any]) -> JobFilter:
    """What the query string asks for: `query` as JobFilterQuery read it, and the pairs of metadata beside it."""
    pairs = ((PAIR.fullmatch(name), value) for name, value in request.args.items(multi=True))
    return JobFilter(
        statuses=query.get("status", ()),
        model=query.get("model"),
        metadata=tuple((pair[1], value) for pair, value in pairs if pair),
        since=query.get("created_after"),
        until=query.get("created_before"),
    )
