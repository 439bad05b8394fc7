"""How long to wait between one question after a response and the next."""

from __future__ import annotations

from collections.abc import Callable

FIRST_SECONDS = 1.0
GROWTH = 1.3
LONGEST_SECONDS = 5.0
LONGEST_FAILING_SECONDS = 30.0
LEAST_ASKED_SECONDS = 0.25
"""An upstream that asks to be polled at once, again and again, is not taken at its word."""


class Pace:
    """`seconds` is the wait before the next question. `random` gives numbers from 0 to 1."""

    def __init__(self, *, first_seconds: float, random: Callable[[], float]) -> None:
        self.seconds = first_seconds
        self._random = random
        self._step = FIRST_SECONDS

    def goes_on(self, *, asked_seconds: float | None = None) -> None:
        """After word that the response is still being made; `asked_seconds` is when the upstream wants to be asked."""
        self._step = min(LONGEST_SECONDS, self._step)
        self._next(asked_seconds)
        self._step = min(LONGEST_SECONDS, self._step * GROWTH)

    def fails(self, *, asked_seconds: float | None = None) -> None:
        """After a refusal, or no answer at all."""
        self._step = min(LONGEST_FAILING_SECONDS, self._step * 2)
        self._next(asked_seconds)

    def _next(self, asked_seconds: float | None) -> None:
        own = self._step * (0.8 + 0.4 * self._random())
        self.seconds = own if asked_seconds is None else max(LEAST_ASKED_SECONDS, asked_seconds)
