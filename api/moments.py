"""A moment in a query string."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from marshmallow import ValidationError, fields

from schemas.mistakes import shown

SAID = "Unix seconds, from 0 to 253402300799, or RFC 3339 such as 2026-01-31T12:00:00Z"
LAST = 253402300799
"""The last second of the year 9999."""

SECONDS = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?", re.ASCII)
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+ -]\d\d:\d\d)", re.ASCII)


class Moment(fields.String):
    """Read as seconds since the epoch."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        seconds = seconds_of(super()._deserialize(value, attr, data, **kwargs))
        if seconds is None or not 0 <= seconds <= LAST:
            raise ValidationError(f"must be {SAID}, got {shown(value)}")
        return seconds


def seconds_of(text: str) -> float | None:
    """The seconds since the epoch that `text` tells, or None if it tells none."""
    if SECONDS.fullmatch(text):
        return float(text)
    if not RFC_3339.fullmatch(text):
        return None
    try:
        # In a query string a plus sign that is not quoted stands for a space.
        return datetime.fromisoformat(text.replace(" ", "+").upper()).timestamp()
    except (ValueError, OverflowError):
        return None
