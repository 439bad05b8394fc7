"""`Prefer: wait=N`: how long an answer may be held."""

from __future__ import annotations

import re

MOST_SECONDS = 60.0
NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?\Z")


def wait_seconds(header: str | None, *, most: float = MOST_SECONDS, unasked: float = 0.0) -> float:
    """The seconds to wait, `most` at most; `unasked` where the header says nothing of it. A malformed wish is no wish
    (RFC 7240)."""
    for preference in (header or "").split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        seconds = value.strip().strip('"')
        if name.strip().lower() == "wait" and NUMBER.match(seconds):
            return min(float(seconds), most)
    return unasked
