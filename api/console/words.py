"""Times, amounts and sizes as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

STATUS_WORDS = {"in_progress": "in progress"}


def when(seconds: float | None) -> str:
    """A moment, in UTC."""
    if seconds is None:
        return "–"
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def iso(seconds: float) -> str:
    """The same for machines."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def lasting(seconds: float | None) -> str:
    """How long something takes: 0.25 s, 3 min 5 s, 2 h 4 min, 3 d 1 h."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return f"{seconds:.2g} s" if seconds < 1 else f"{seconds:.1f} s"
    whole = round(seconds)
    for size, unit, smaller, small in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {unit}" + (f" {rest} {small}" if rest else "")
    return f"{whole} s"


def count(number: float | None) -> str:
    """12,345; a fraction keeps one digit of it."""
    if number is None:
        return "–"
    return f"{number:,.0f}" if number == int(number) else f"{number:,.1f}"


def money(amount: float | None, currency: str) -> str:
    if amount is None:
        return "–"
    digits = 2 if amount >= 1 or amount == 0 else 4 if amount >= 0.01 else 6
    return f"{amount:,.{digits}f} {currency}"


def size(number: int) -> str:
    """Of bytes: 512 B, 1.5 kB, 20 MB."""
    value = float(number)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:,.3g} GB" if value < 1000 else f"{value:,.0f} GB"


def spoken(status: str) -> str:
    """A status in words."""
    return STATUS_WORDS.get(status, status.replace("_", " "))
