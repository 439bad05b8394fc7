"""Points in time: as they are shown, and as they are typed."""

from __future__ import annotations

import re
import time
from datetime import datetime
from typing import Any

import click

_AGO = re.compile(r"(\d+(?:\.\d+)?)(s|min|m|h|d|w)")
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def local(seconds: float | None) -> str:
    """In the time of this machine; empty for None."""
    if seconds is None:
        return ""
    try:
        return f"{datetime.fromtimestamp(seconds).astimezone():%Y-%m-%d %H:%M:%S}"
    except (OverflowError, ValueError, OSError):
        return str(seconds)


def span(seconds: float) -> str:
    """`40 s`, `5 min`, `3 h` or `2 d`."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def read(text: str, *, now: float) -> float:
    """Seconds since the epoch, of `90min` (so long ago), `2026-11-23`, `2026-11-23T08:00:00Z` or `1795425300`.

    A time that names no zone is one of this machine. Raises ValueError.
    """
    if ago := _AGO.fullmatch(text):
        return now - float(ago[1]) * _SECONDS[ago[2]]
    if re.fullmatch(r"\d{6,12}(\.\d+)?", text):
        return float(text)
    return datetime.fromisoformat(text).timestamp()


class Moment(click.ParamType[float]):
    """An option that takes a time and gives seconds since the epoch."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            return read(str(value), now=time.time())
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time, such as 90min (ago), 2026-11-23 or 2026-11-23T08:00:00Z", param, ctx)
