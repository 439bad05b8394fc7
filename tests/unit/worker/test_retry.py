from typing import Any

import pytest

from worker.outcome import Problem
from worker.refusals import Kind
from worker.retry import Decision, GiveUp, Patience, RetryIn, Snooze, decide

NOW = 1_700_000_000.0
INTO_THE_MINUTE = NOW % 60


def problem(kind: Kind, **changes: Any) -> Problem:
    values: dict[str, Any] = {
        "kind": kind,
        "code": "TheCode",
        "message": "the message",
        "delivery": "answered",
        "may_be_billed": False,
    }
    return Problem(**values | changes)


def patience(*, spent: int = 0, snoozes: int = 0, most: int = 5, on_unknown: str = "retry") -> Patience:
    return Patience(spent=spent, snoozes=snoozes, max_attempts=most, on_unknown=on_unknown)


def pause(found: Decision) -> float:
    """The lane's pause under a snooze."""
    assert isinstance(found, Snooze)
    assert found.hold is not None
    return found.hold.pause_seconds


def decided(found: Problem, patient: Patience | None = None, *, random: float = 0.0) -> Decision:
    return decide(found, patient or patience(), now=NOW, random=lambda: random)


@pytest.mark.parametrize(
    ("kind", "pause", "cut"),
    [
        (Kind.RATE, 5.0, "rate"),
        (Kind.OVERLOAD, 2.0, "width"),
        (Kind.CONCURRENCY, 0.5, "width"),
        (Kind.ACCOUNT, 30.0, "account"),
        (Kind.ENDPOINT, 2.0, "account"),
    ],
)
@pytest.mark.parametrize("spent", [0, 4, 99])
def test_what_is_no_fault_of_the_job_pauses_the_lane_and_spends_nothing(
    kind: Kind, pause: float, cut: str, spent: int
) -> None:
    found = decided(problem(kind), patience(spent=spent))
    assert isinstance(found, Snooze)
    assert found.hold is not None
    assert found.delay_seconds == 0
    assert (found.hold.pause_seconds, found.hold.cut, found.hold.reason) == (pause, cut, "TheCode")


@pytest.mark.parametrize("kind", [Kind.RATE, Kind.OVERLOAD, Kind.CONCURRENCY, Kind.ACCOUNT, Kind.ENDPOINT])
def test_a_pause_lasts_as_long_as_the_upstream_asks(kind: Kind) -> None:
    assert pause(decided(problem(kind, retry_after_seconds=11.0))) == 11.0


@pytest.mark.parametrize("kind", [Kind.RATE, Kind.OVERLOAD, Kind.CONCURRENCY, Kind.ACCOUNT, Kind.ENDPOINT])
def test_an_upstream_that_asks_for_no_pause_gets_half_a_second_and_jitter(kind: Kind) -> None:
    found = problem(kind, retry_after_seconds=0.0)
    assert pause(decided(found)) == 0.5
    assert pause(decided(found, random=1.0)) == 0.6


@pytest.mark.parametrize("kind", [Kind.RATE, Kind.OVERLOAD, Kind.CONCURRENCY])
@pytest.mark.parametrize(("snoozes", "seconds"), [(1, 1.0), (4, 8.0), (6, 32.0), (7, 60.0), (1000, 60.0)])
def test_the_pause_doubles_with_each_snooze_up_to_a_minute(kind: Kind, snoozes: int, seconds: float) -> None:
    found = problem(kind, retry_after_seconds=0.0)
    assert pause(decided(found, patience(snoozes=snoozes))) == seconds
    assert pause(decided(problem(kind, retry_after_seconds=90.0), patience(snoozes=snoozes))) == 90


@pytest.mark.parametrize("kind", [Kind.RATE, Kind.OVERLOAD, Kind.CONCURRENCY, Kind.ACCOUNT, Kind.ENDPOINT, Kind.WAIT])
@pytest.mark.parametrize("snoozes", [0, 1000])
def test_what_may_be_billed_spends_an_attempt_and_pauses_the_lane_all_the_same(kind: Kind, snoozes: int) -> None:
    paid = problem(kind, may_be_billed=True)
    found = decided(paid, patience(snoozes=snoozes))
    assert isinstance(found, RetryIn)
    assert (found.hold is None) == (kind is Kind.WAIT)
    assert decided(paid, patience(spent=4, snoozes=snoozes)) == GiveUp(
        code="TheCode", message="the message", retryable=True
    )


def test_a_pause_has_a_little_jitter_on_top_and_never_below() -> None:
    assert pause(decided(problem(Kind.RATE, retry_after_seconds=100.0), random=1.0)) == 101.0


@pytest.mark.parametrize("code", ["RateLimitExceeded.EndpointRPMExceeded", "ModelAccountTpmRateLimitExceeded"])
def test_a_window_of_a_minute_ends_with_the_minute(code: str) -> None:
    assert pause(decided(problem(Kind.RATE, code=code))) == 60 - INTO_THE_MINUTE


def test_a_plan_window_ends_when_its_message_says() -> None:
    found = decided(problem(Kind.RATE, code="QuotaExceeded", message="resets at 2023-11-14T22:20:00Z"))
    assert pause(found) == 400


def test_a_permanent_refusal_ends_the_job_with_the_upstreams_own_words() -> None:
    assert decided(problem(Kind.PERMANENT)) == GiveUp(code="TheCode", message="the message", retryable=False)


@pytest.mark.parametrize("spent", range(12))
def test_a_passing_fault_waits_a_random_part_of_a_time_that_doubles_up_to_a_minute(spent: int) -> None:
    most = min(60.0, 2.0**spent)
    for random in (0.0, 0.5, 1.0):
        found = decided(problem(Kind.TRANSIENT), patience(spent=spent, most=100), random=random)
        assert found == RetryIn(delay_seconds=random * most)


@pytest.mark.parametrize(("spent", "most", "ends"), [(0, 1, True), (0, 2, False), (3, 5, False), (4, 5, True)])
def test_the_last_attempt_is_the_last(spent: int, most: int, ends: bool) -> None:
    found = decided(problem(Kind.TRANSIENT), patience(spent=spent, most=most))
    assert isinstance(found, GiveUp) == ends
    assert not ends or found == GiveUp(code="TheCode", message="the message", retryable=True)


def test_a_passing_fault_waits_at_least_as_long_as_asked() -> None:
    assert decided(problem(Kind.TRANSIENT, retry_after_seconds=9.0, http_status=500)) == RetryIn(delay_seconds=9.0)


def test_a_503_with_retry_after_pauses_the_whole_lane() -> None:
    found = decided(problem(Kind.TRANSIENT, retry_after_seconds=9.0, http_status=503))
    assert isinstance(found, RetryIn)
    assert found.hold is not None
    assert (found.delay_seconds, found.hold.pause_seconds, found.hold.cut) == (9.0, 9.0, "rate")


@pytest.mark.parametrize(("spent", "snoozes"), [(0, 0), (4, 0), (0, 99)])
def test_what_is_not_ready_waits_apart_from_its_lane_and_spends_nothing(spent: int, snoozes: int) -> None:
    found = decided(problem(Kind.WAIT), patience(spent=spent, snoozes=snoozes), random=0.5)
    assert found == Snooze(delay_seconds=5.5)
    asked = problem(Kind.WAIT, retry_after_seconds=30.0)
    assert decided(asked, patience(spent=spent, snoozes=snoozes)) == Snooze(delay_seconds=30.0)


def test_what_is_not_ready_after_a_hundred_snoozes_ends_the_job() -> None:
    found = decided(problem(Kind.WAIT), patience(snoozes=100))
    assert found == GiveUp(code="TheCode", message="the message", retryable=True)


@pytest.mark.parametrize(("spent", "most", "ends"), [(0, 5, False), (1, 5, False), (2, 5, True), (0, 1, True)])
def test_a_medium_is_fetched_three_times_at_most(spent: int, most: int, ends: bool) -> None:
    found = decided(problem(Kind.MEDIA), patience(spent=spent, most=most))
    assert isinstance(found, GiveUp) == ends
    assert not ends or found == GiveUp(code="failed_to_download", message="the message", retryable=True)


def test_an_unknown_outcome_is_tried_again_where_the_job_says_so() -> None:
    assert isinstance(decided(problem(Kind.TRANSIENT, unknown=True)), RetryIn)


def test_an_unknown_outcome_ends_the_job_where_the_job_says_so() -> None:
    found = decided(problem(Kind.TRANSIENT, unknown=True), patience(on_unknown="fail"))
    assert isinstance(found, GiveUp)
    assert (found.code, found.retryable) == ("outcome_unknown", True)
    assert "may have been billed" in found.message


def test_an_outcome_that_is_known_is_tried_again_under_either_policy() -> None:
    assert isinstance(decided(problem(Kind.TRANSIENT), patience(on_unknown="fail")), RetryIn)
