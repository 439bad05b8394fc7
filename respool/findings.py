"""What `doctor` finds: one thing that was looked at, how it is, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warn", "fail"]

MOST_SKEW_SECONDS = 5.0
"""What a clock may be off before it is told of."""

WEBHOOK_SKEW_SECONDS = 300.0
"""From here on receivers refuse what is signed by the wrong clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`advice` is empty where all is well."""

    level: Level
    subject: str
    told: str
    advice: str = ""


def fine(subject: str, told: str) -> Finding:
    return Finding(level="ok", subject=subject, told=told)


def doubtful(subject: str, told: str, advice: str) -> Finding:
    return Finding(level="warn", subject=subject, told=told, advice=advice)


def broken(subject: str, told: str, advice: str) -> Finding:
    return Finding(level="fail", subject=subject, told=told, advice=advice)


def clock(subject: str, skew_seconds: float) -> Finding:
    """Of a clock that is `skew_seconds` ahead of this machine's."""
    told = f"{abs(skew_seconds):.1f} s {'ahead of' if skew_seconds > 0 else 'behind'} this machine's"
    advice = "set both clocks by NTP"
    if abs(skew_seconds) >= WEBHOOK_SKEW_SECONDS:
        return broken(subject, told, f"{advice}: receivers refuse webhooks that are signed by a wrong clock")
    if abs(skew_seconds) > MOST_SKEW_SECONDS:
        return doubtful(subject, told, advice)
    return fine(subject, f"within {MOST_SKEW_SECONDS:g} s of this machine's")
