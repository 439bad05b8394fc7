from typing import Any

import pytest

from sandbox.errors import Refused
from sandbox.limits import Limits, changed


def test_what_is_named_is_set_and_the_rest_stays() -> None:
    limits = changed(Limits(requests_per_minute=600, in_flight=5), {"requests_per_minute": 300, "limiter": "fixed"})
    assert limits == Limits(requests_per_minute=300, in_flight=5, limiter="fixed")


def test_null_sets_no_bound_or_the_default() -> None:
    limits = Limits(requests_per_minute=600, window_seconds=2, retry_after="no")
    assert changed(limits, dict.fromkeys(("requests_per_minute", "window_seconds", "retry_after"))) == Limits()


def test_what_is_shown_can_be_set() -> None:
    limits = Limits(tokens_per_minute=7, ramp_per_second=0.5, limiter="bucket", bucket=3)
    assert changed(Limits(), limits.as_json()) == limits


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[
            (name, value)
            for name in ("requests_per_minute", "in_flight", "bucket")
            for value in (0, -1, 1.5, True, "1")
        ],
        *[("ramp_per_second", value) for value in (0, True, "1", 100_001, float("nan"))],
        *[("window_seconds", value) for value in (0, 86_401, [])],
        *[("limiter", "leaky"), ("limiter", []), ("retry_after", True), ("speed", 1)],
    ],
)
def test_what_does_not_fit_is_refused_by_its_name(name: str, value: Any) -> None:
    with pytest.raises(Refused, match=name) as caught:
        changed(Limits(), {name: value})
    assert (caught.value.status, caught.value.param) == (400, name)
