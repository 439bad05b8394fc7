"""How much a sandbox lets in, and how a change of that is read."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from sandbox.errors import Refused

LIMITERS = ("sliding", "fixed", "bucket")
COUNT_MAX = 10**9
WINDOW_SECONDS_MAX = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on what is let in; None is no bound.

    `requests_per_minute`, `tokens_per_minute`: calls, and tokens of their answers, in a window of `window_seconds`.
    `in_flight`: calls at the same time. `ramp_per_second`: how many calls in flight may be added a second.
    `limiter`: how requests are counted, one of LIMITERS; `bucket`: how many calls the bucket holds.
    `retry_after`: `yes` or `no`, whether a 429 says when to come again.
    """

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    in_flight: int | None = None
    ramp_per_second: float | None = None
    limiter: str = "sliding"
    bucket: int = 10
    retry_after: str = "yes"
    window_seconds: float = 60.0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def changed(limits: Limits, values: Mapping[str, Any]) -> Limits:
    """The limits with those named in `values` set; null sets no bound, or what holds by default.

    Raises Refused (400) for a name that is unknown or a value that does not fit.
    """
    plain = Limits().as_json()
    checked: dict[str, Any] = {}
    for name, value in values.items():
        if name not in _TAKES:
            raise Refused(f"There is no limit {name!r}. Known are: {', '.join(_TAKES)}.", param=name)
        fits, hint = _TAKES[name]
        if value is not None and not fits(value):
            raise Refused(f"The limit {name} must be {hint}.", param=name)
        checked[name] = plain[name] if value is None else value
    return replace(limits, **checked)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= COUNT_MAX


def _is_number_up_to(most: float) -> Callable[[object], bool]:
    return lambda value: isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= most


_COUNT = (_is_count, f"a whole number from 1 to {COUNT_MAX}")

# Name → (whether a value fits, what it takes).
_TAKES: dict[str, tuple[Callable[[object], bool], str]] = {
    "requests_per_minute": _COUNT,
    "tokens_per_minute": _COUNT,
    "in_flight": _COUNT,
    "ramp_per_second": (_is_number_up_to(100_000), "a number above 0 and at most 100000"),
    "limiter": (lambda value: value in LIMITERS, f"one of {', '.join(LIMITERS)}"),
    "bucket": _COUNT,
    "retry_after": (lambda value: value in ("yes", "no"), "yes or no"),
    "window_seconds": (_is_number_up_to(WINDOW_SECONDS_MAX), "a number above 0 and at most 86400"),
}
