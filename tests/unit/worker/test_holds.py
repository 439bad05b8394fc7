from typing import Any

import pytest

from jobs.runs import Cut
from worker.holds import Hold, of_fault, of_rates, of_refusal
from worker.outcome import Problem
from worker.rate_headers import NOT_TOLD, Rate, Rates
from worker.refusals import Kind

NOW = 1_700_000_000.0  # 2023-11-14 22:13:20 UTC


def problem(kind: Kind = Kind.RATE, **changes: Any) -> Problem:
    values: dict[str, Any] = {
        "kind": kind, "code": "TheCode", "message": "the message", "delivery": "answered", "may_be_billed": False,
    }  # fmt: skip
    return Problem(**values | changes)


def held(found: Problem, *, random: float = 0.0, now: float = NOW) -> Hold:
    return of_refusal(found, now=now, random=lambda: random)


@pytest.mark.parametrize(
    ("kind", "pause", "cut"),
    [
        (Kind.RATE, 1.0, "requests"),
        (Kind.OVERLOAD, 2.0, "width"),
        (Kind.CONCURRENCY, 0.5, "width"),
        (Kind.ACCOUNT, 30.0, "account"),
        (Kind.ENDPOINT, 0.0, "endpoint"),
    ],
)
def test_a_refusal_that_tells_no_time_has_a_pause_of_its_class(kind: Kind, pause: float, cut: Cut) -> None:
    assert held(problem(kind)) == Hold(pause_seconds=pause, reason="TheCode", cut=cut)


@pytest.mark.parametrize("kind", [Kind.RATE, Kind.OVERLOAD, Kind.CONCURRENCY, Kind.ACCOUNT])
@pytest.mark.parametrize("asked", [0.0, 11.0, 3600.0])
def test_a_pause_is_as_long_as_the_upstream_asks(kind: Kind, asked: float) -> None:
    assert held(problem(kind, retry_after_seconds=asked)).pause_seconds == asked


def test_a_pause_has_a_little_jitter_on_top_and_never_below() -> None:
    assert held(problem(retry_after_seconds=100.0), random=1.0).pause_seconds == 101.0
    assert held(problem(retry_after_seconds=1.0), random=1.0).pause_seconds == 1.2


@pytest.mark.parametrize(
    ("code", "message", "cut"),
    [
        ("RateLimitExceeded.EndpointTPMExceeded", "", "tokens"),
        ("ModelAccountTpmRateLimitExceeded", "", "tokens"),
        ("rate_limit_exceeded", "Rate limit reached for m on tokens per min (TPM): Limit 10000", "tokens"),
        ("429", "Too many tokens per minute", "tokens"),
        ("429", "token rate limit exceeded", "tokens"),
        ("RateLimitExceeded.EndpointRPMExceeded", "", "requests"),
        ("ModelAccountRpmRateLimitExceeded", "", "requests"),
        ("ModelAccountIpmRateLimitExceeded", "", "requests"),
        ("rate_limit_exceeded", "Rate limit reached for m on requests per min (RPM): Limit 3", "requests"),
        ("http_429", "the endpoint answered 429", "requests"),
        ("http_429", "invalid token, slow down", "requests"),
    ],
)
def test_a_refusal_cuts_what_it_tells_of(code: str, message: str, cut: Cut) -> None:
    assert held(problem(code=code, message=message)).cut == cut


NO_TOKENS_LEFT = Rates(requests=Rate(limit=60, remaining=30), tokens=Rate(limit=1000, remaining=0, reset_seconds=9.0))


@pytest.mark.parametrize(("message", "cut"), [("slow down", "tokens"), ("requests per minute exceeded", "requests")])
def test_where_the_message_is_silent_the_limit_that_is_used_up_is_cut(message: str, cut: Cut) -> None:
    assert held(problem(message=message, rates=NO_TOKENS_LEFT)).cut == cut


@pytest.mark.parametrize(
    ("changes", "pause"),
    [
        ({"retry_after_seconds": 7.0}, 7.0),
        ({}, 2.0),
        ({"message": "reset at 2023-11-14T22:20:00Z"}, 400.0),
        ({"rates": Rates(requests=Rate(limit=600, reset_seconds=60.0))}, 1.0),
        ({"rates": NOT_TOLD, "message": "Please try again in 6m0s. Visit our page."}, 360.0),
        ({"rates": NOT_TOLD, "message": "Please try again in 20ms."}, 0.02),
        ({"rates": Rates(tokens=Rate(reset_seconds=50.0))}, 1.0),
    ],
)
def test_the_time_told_is_retry_after_then_the_message_then_that_of_one_of_the_limit(
    changes: dict[str, Any], pause: float
) -> None:
    told = {"rates": Rates(requests=Rate(limit=2, reset_seconds=4.0))}
    assert held(problem(**told | changes)).pause_seconds == pytest.approx(pause)


@pytest.mark.parametrize("code", ["RateLimitExceeded.EndpointRPMExceeded", "ModelAccountTpmRateLimitExceeded"])
def test_a_window_of_a_minute_ends_with_the_minute_at_the_latest(code: str) -> None:
    assert held(problem(code=code), now=1_700_000_039.75).pause_seconds == 0.25
    assert held(problem(code=code), now=1_700_000_020.0).pause_seconds == 1.0


@pytest.mark.parametrize(("code", "told"), [("EndpointRPMExceeded", 60), ("EndpointTPMExceeded", 150_000)])
def test_the_limit_told_is_that_of_what_is_cut(code: str, told: int) -> None:
    rates = Rates(requests=Rate(limit=60), tokens=Rate(limit=150_000))
    assert held(problem(code=code, rates=rates)).told_limit == told
    assert held(problem(code=code, rates=NOT_TOLD)).told_limit is None
    assert held(problem(Kind.OVERLOAD, rates=rates)).told_limit is None


@pytest.mark.parametrize(
    ("reset", "a_minute"), [(60.0, 60), (6.0, 60), (3600.0, 1), (86400.0, 1), (None, 60), (0.0, 60)]
)
def test_a_limit_for_another_time_than_a_minute_is_told_by_its_reset(reset: float | None, a_minute: int) -> None:
    rates = Rates(requests=Rate(limit=60, remaining=0, reset_seconds=reset))
    assert held(problem(rates=rates)).told_limit == a_minute


@pytest.mark.parametrize(
    "changes",
    [
        {"http_status": 500}, {"http_status": 502}, {"http_status": 503}, {"http_status": 529},
        {"code": "connection_cut", "delivery": "sent"}, {"code": "upstream_timeout", "delivery": "sent"},
        {"code": "connection_cut", "delivery": "sent", "http_status": 200},
    ],
)  # fmt: skip
def test_a_5xx_a_cut_and_silence_are_faults_of_the_endpoint(changes: dict[str, Any]) -> None:
    found = problem(Kind.TRANSIENT, **changes)
    assert of_fault(found) == Hold(pause_seconds=0.0, reason=found.code, cut="endpoint")


@pytest.mark.parametrize(
    "changes",
    [
        {"http_status": 200}, {"http_status": 408}, {"http_status": 409}, {"http_status": 200, "code": "server_error"},
        {"code": "run_timeout", "delivery": "sent", "http_status": 503}, {"code": "called_off", "delivery": "sent"},
        {"code": "upstream_lost", "delivery": "sent", "http_status": 404},
        {"code": "upstream_answer_invalid", "http_status": 200},
        {"code": "upstream_answer_too_large", "delivery": "sent", "http_status": 200},
    ],
)  # fmt: skip
def test_what_passes_but_tells_nothing_of_the_endpoint_holds_nobody_up(changes: dict[str, Any]) -> None:
    assert of_fault(problem(Kind.TRANSIENT, **changes)) is None


@pytest.mark.parametrize(("status", "pause"), [(503, 9.0), (500, 0.0), (529, 0.0)])
def test_only_a_503_asks_for_a_pause_of_everybody(status: int, pause: float) -> None:
    found = of_fault(problem(Kind.TRANSIENT, http_status=status, retry_after_seconds=9.0))
    assert found is not None
    assert found.pause_seconds == pause


@pytest.mark.parametrize(
    ("rates", "hold"),
    [
        (NOT_TOLD, None),
        (Rates(requests=Rate(limit=60, remaining=1)), None),
        (
            Rates(requests=Rate(limit=60, remaining=0, reset_seconds=30.0)),
            Hold(pause_seconds=0.5, reason="rate_limit_requests", cut="pause"),
        ),
        (
            Rates(requests=Rate(limit=1, remaining=0, reset_seconds=50.0)),
            Hold(pause_seconds=1.0, reason="rate_limit_requests", cut="pause"),
        ),
        (NO_TOKENS_LEFT, Hold(pause_seconds=0.009, reason="rate_limit_tokens", cut="pause")),
        (Rates(tokens=Rate(remaining=0)), Hold(pause_seconds=1.0, reason="rate_limit_tokens", cut="pause")),
    ],
)
def test_an_answer_that_leaves_nothing_of_a_limit_pauses_for_as_long_as_one_takes_to_come_back(
    rates: Rates, hold: Hold | None
) -> None:
    assert of_rates(rates) == hold


@pytest.mark.parametrize("code", ["RateLimitExceeded.EndpointRPMExceeded", "ModelAccountRpmRateLimitExceeded"])
def test_a_code_that_names_requests_counts_more_than_tokens_that_are_used_up(code: str) -> None:
    rates = Rates(tokens=Rate(limit=100, remaining=0), requests=Rate(limit=60, remaining=5))
    assert held(problem(code=code, rates=rates)).cut == "requests"


def test_a_window_that_is_not_a_minutes_does_not_end_with_the_minute() -> None:
    late = NOW - NOW % 60 + 59.5
    assert held(problem(code="rate_limit_exceeded"), now=late).pause_seconds == 1.0


def test_an_answer_without_a_status_is_no_fault_of_the_endpoint() -> None:
    assert of_fault(problem(Kind.TRANSIENT, http_status=None)) is None


def test_a_limit_that_is_not_told_counts_as_one() -> None:
    rates = Rates(requests=Rate(remaining=0, reset_seconds=0.5))
    assert of_rates(rates) == Hold(pause_seconds=0.5, reason="rate_limit_requests", cut="pause")
