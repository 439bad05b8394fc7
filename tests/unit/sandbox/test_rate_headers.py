import pytest

from sandbox.meters import Rate, Sliding
from sandbox.rate_headers import duration, rate_headers


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((0, "0ms"), (0.0001, "1ms"), (0.012, "12ms"), (0.9991, "1s"), (1, "1s"), (1.5, "1.5s"), (59.7, "59.7s")),
        *((60, "1m0s"), (86.4, "1m26.4s"), (360, "6m0s"), (3_600, "1h0m0s"), (3_725.25, "1h2m5.25s")),
    ],
)
def test_durations_are_written_as_the_endpoint_does(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_the_headers_name_what_they_count() -> None:
    meter, rate = Sliding(), Rate(limit=5, window_seconds=60)
    meter.add(2, now=0.0, rate=rate)
    assert rate_headers("tokens", meter, now=48.0, rate=rate) == {
        "x-ratelimit-limit-tokens": "5",
        "x-ratelimit-remaining-tokens": "3",
        "x-ratelimit-reset-tokens": "12s",
    }
