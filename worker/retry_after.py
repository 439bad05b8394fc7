"""Reading when an upstream wants to be asked again."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from worker.durations import LONGEST_SECONDS, SPAN, seconds_in

SPAN_IN_TEXT = re.compile(rf"(?i:try again|retry|wait)(?: (?:in|after|for))? ({SPAN})\b")
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?")


def seconds_until(headers: Mapping[str, str], *, now: float, most_seconds: float = LONGEST_SECONDS) -> float | None:
    """What `retry-after-ms` or `retry-after` (seconds or an HTTP date) ask for, up to `most_seconds` (an hour).

    None for no sense.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return _clamped(milliseconds / 1000, most_seconds)
    text = headers.get("retry-after")
    seconds = _number(text)
    if seconds is None and text:
        seconds = _seconds_to_date(text, now)
    return None if seconds is None else _clamped(seconds, most_seconds)


def seconds_until_poll(headers: Mapping[str, str], *, now: float) -> float | None:
    """When a response that is being made shall be asked after again: `openai-poll-after-ms`, else as seconds_until."""
    milliseconds = _number(headers.get("openai-poll-after-ms"))
    return seconds_until(headers, now=now) if milliseconds is None else _clamped(milliseconds / 1000)


def seconds_to_moment_in(text: str, *, now: float) -> float | None:
    """How long until the moment (ISO 8601, UTC unless it says otherwise) that a message names, at most an hour."""
    found = MOMENT.search(text)
    if found is None:
        return None
    try:
        moment = datetime.fromisoformat(found[0])
    except ValueError:
        return None
    return _clamped(_in_utc(moment).timestamp() - now)


def seconds_named_in(text: str, *, now: float) -> float | None:
    """How long a message asks to wait: until the moment, or for the span of time, that it names; at most an hour."""
    found = seconds_to_moment_in(text, now=now)
    if found is not None:
        return found
    span = SPAN_IN_TEXT.search(text)
    return seconds_in(span[1], now=now) if span else None


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _seconds_to_date(text: str, now: float) -> float | None:
    try:
        return _in_utc(parsedate_to_datetime(text)).timestamp() - now
    except (ValueError, OverflowError):
        return None


def _in_utc(moment: datetime) -> datetime:
    """A moment that does not name its zone is in UTC, as every HTTP date is."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _clamped(seconds: float, most_seconds: float = LONGEST_SECONDS) -> float:
    return min(max(seconds, 0.0), most_seconds)
