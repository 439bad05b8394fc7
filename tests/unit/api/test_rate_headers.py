import pytest

from api.rate_headers import duration, rate_headers, retry_headers
from jobs.headroom import Headroom, Room


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0ms"), (-1, "0ms"), (0.012, "12ms"), (0.0121, "13ms"), (0.9999, "1000ms"), (1, "1s"), (1.2, "2s"),
        (59.5, "1m0s"), (360, "6m0s"), (3600, "1h0m0s"), (86399.1, "24h0m0s"), (3661, "1h1m1s"),
    ],
)  # fmt: skip
def test_a_duration_is_short_and_never_too_early(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_project_without_limits_gets_no_headers() -> None:
    assert rate_headers(Headroom(requests=None, tokens=None)) == {}


def test_what_is_limited_is_told_with_what_is_left() -> None:
    room = Headroom(
        requests=Room(limit=100, remaining=50, reset_seconds=29.2),
        tokens=Room(limit=5000, remaining=0, reset_seconds=7200),
    )
    assert rate_headers(room) == {
        "x-ratelimit-limit-requests": "100",
        "x-ratelimit-remaining-requests": "50",
        "x-ratelimit-reset-requests": "30s",
        "x-ratelimit-limit-tokens": "5000",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "2h0m0s",
        "RateLimit-Policy": '"requests";q=100;w=60',
        "RateLimit": '"requests";r=50;t=30',
    }


@pytest.mark.parametrize(
    ("seconds", "headers"),
    [
        (0, {"Retry-After": "1"}), (1.1, {"Retry-After": "2"}), (60, {"Retry-After": "60"}),
        (60.1, {"Retry-After": "61", "x-should-retry": "false"}),
    ],
)  # fmt: skip
def test_clients_wait_by_themselves_for_a_minute_and_no_longer(seconds: float, headers: dict[str, str]) -> None:
    assert retry_headers(seconds) == headers
