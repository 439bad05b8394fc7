"""How what a lane learned from refusals grows back. The dispatch script counts in the same way (`grown`)."""

from __future__ import annotations

FASTEST_SECONDS = 60.0
SLOWEST_SECONDS = 300.0
"""The time in which a twentieth comes back: for wide and fast lanes, and for those whose every refused call weighs."""

WEIGHTY_RATE = 18_000.0
"""A rate a minute, divided by which the time is between the two."""


def grown(value: float, *, seconds: float, calm_seconds: float) -> float:
    """What was learned as `value`, so many seconds later."""
    turns = seconds / calm_seconds
    return value * (1 + 0.05 * turns + 0.5 * (turns / 5) ** 3)


def calm_seconds_of_rate(rate: float) -> float:
    return min(SLOWEST_SECONDS, max(FASTEST_SECONDS, WEIGHTY_RATE / rate))
