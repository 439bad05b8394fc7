"""Reading spans of time as endpoints write them: `12ms`, `1s`, `6m0s`, `1h2m3.5s` or plain seconds."""

from __future__ import annotations

import re

LONGEST_SECONDS = 3600.0
EPOCH_SECONDS = 10**9
"""A number as large as this is a moment, in seconds since the epoch, and no span."""

UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "us": 0.000001, "µs": 0.000001, "ns": 1e-9}
_NUMBER = r"\d{1,15}(?:\.\d{1,15})?"
_PART = re.compile(rf"({_NUMBER})(d|h|ms|m|us|µs|ns|s)")
SPAN = rf"(?:{_NUMBER}(?:d|h|ms|m|us|µs|ns|s))+"
_WHOLE = re.compile(SPAN)
_PLAIN = re.compile(_NUMBER)


def seconds_in(text: str, *, now: float) -> float | None:
    """The seconds that `text` says, at most an hour; None for anything that is no span of time."""
    text = text.strip()[:100]
    if _PLAIN.fullmatch(text):
        seconds = float(text)
        return _clamped(seconds - now if seconds >= EPOCH_SECONDS else seconds)
    if _WHOLE.fullmatch(text):
        return _clamped(sum(float(number) * UNITS[unit] for number, unit in _PART.findall(text)))
    return None


def _clamped(seconds: float) -> float:
    return min(max(seconds, 0.0), LONGEST_SECONDS)
