"""`Prefer: wait=N`: how long an answer may be held."""

from __future__ import annotations

import re

from api.errors import Refusal

MOST_SECONDS = 60.0
NUMBER = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?\Z")


def wait_seconds(header: str | None) -> float:
    """The seconds to wait, 60 at most; 0 where the header does not ask for it. Raises a Refusal of 400."""
    for preference in (header or "").split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        if name.strip().lower() == "wait":
            return _seconds(value.strip().strip('"'))
    return 0.0


def _seconds(text: str) -> float:
    if not NUMBER.match(text):
        raise Refusal(
            400,
            f"Prefer: wait must be a number of seconds from 0 to {MOST_SECONDS:g}.",
            param="Prefer",
            code="invalid_value",
        )
    return min(float(text), MOST_SECONDS)
