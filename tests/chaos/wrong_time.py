"""What lets the clock of Redis jump."""

from collections.abc import Mapping
from pathlib import Path

FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
"""Debian's package `libfaketime`, if it is installed."""


def jumping_clock_settings(folder: Path) -> Mapping[str, str]:
    """What makes Redis read how far its clock is off from a file; nothing where there is no libfaketime."""
    if FAKETIME is None:
        return {}
    clock = folder / "clock"
    clock.write_text("+0\n")
    return {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
