import pytest
from requests.structures import CaseInsensitiveDict

from worker.rate_headers import MOST, NOT_TOLD, Rate, Rates, read_rates

NOW = 1_700_000_000.0


def test_both_limits_are_read_whatever_the_case_of_their_headers() -> None:
    headers = CaseInsensitiveDict(
        {
            "X-RateLimit-Limit-Requests": "60",
            "X-RateLimit-Remaining-Requests": "59",
            "X-RateLimit-Reset-Requests": "1s",
            "x-ratelimit-limit-tokens": "150000",
            "x-ratelimit-remaining-tokens": "149984",
            "x-ratelimit-reset-tokens": "6m0s",
        }
    )
    assert read_rates(headers, now=NOW) == Rates(
        requests=Rate(limit=60, remaining=59, reset_seconds=1),
        tokens=Rate(limit=150_000, remaining=149_984, reset_seconds=360),
    )


def test_no_headers_tell_nothing() -> None:
    assert read_rates({}, now=NOW) == NOT_TOLD


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("60", 60), (" 60 ", 60), ("60, 60;w=60", 60), ("60;w=60", 60), ("60.0", 60), ("9" * 13, MOST),
        ("9" * 200, None),
        ("-1", None), ("many", None), ("", None), ("1e3", None), ("٦٠", 60),
    ],
)  # fmt: skip
def test_a_count_is_a_whole_number_or_nothing(text: str, limit: int | None) -> None:
    assert read_rates({"x-ratelimit-limit-requests": text}, now=NOW).requests.limit == limit


@pytest.mark.parametrize(
    ("rate", "used_up"),
    [
        (Rate(limit=60, remaining=0), True), (Rate(remaining=0), True), (Rate(limit=60, remaining=1), False),
        (Rate(limit=0, remaining=0), False), (Rate(), False),
    ],
)  # fmt: skip
def test_a_limit_is_used_up_when_nothing_is_left_of_it(rate: Rate, used_up: bool) -> None:
    assert rate.used_up is used_up
