from typing import Any

import pytest

from worker.holds import of_fault, of_refusal
from worker.outcome import Problem
from worker.refusals import Kind
from worker.retry import Decision, GiveUp, Patience, PollLater, RetryIn, Snooze, decide, exhausted

NOW = 1_700_000_000.0


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


def decided(found: Problem, patient: Patience | None = None, *, random: float = 0.0) -> Decision:
    return decide(found, patient or patience(), now=NOW, random=lambda: random)


LANE_KINDS = [Kind.RATE, Kind.OVERLOAD, Kind.CONCURRENCY, Kind.ACCOUNT, Kind.ENDPOINT]


@pytest.mark.parametrize("kind", LANE_KINDS)
@pytest.mark.parametrize(("spent", "snoozes"), [(0, 0), (4, 0), (99, 1000)])
def test_what_is_no_fault_of_the_job_holds_the_lane_and_spends_nothing(kind: Kind, spent: int, snoozes: int) -> None:
    found = decided(problem(kind), patience(spent=spent, snoozes=snoozes))
    assert found == Snooze(hold=of_refusal(problem(kind), now=NOW, random=lambda: 0.0))


@pytest.mark.parametrize("kind", [*LANE_KINDS, Kind.PERMANENT, Kind.TRANSIENT])
@pytest.mark.parametrize(("spent", "on_unknown"), [(0, "retry"), (99, "fail")])
def test_what_goes_on_upstream_is_polled_later_whatever_the_jobs_patience(
    kind: Kind, spent: int, on_unknown: str
) -> None:
    found = problem(kind, goes_on=True)
    hold = of_refusal(found, now=NOW, random=lambda: 0.0)
    assert decided(found, patience(spent=spent, on_unknown=on_unknown)) == PollLater(hold=hold)


@pytest.mark.parametrize("kind", [Kind.RATE, Kind.OVERLOAD, Kind.CONCURRENCY, Kind.ACCOUNT, Kind.ENDPOINT, Kind.WAIT])
@pytest.mark.parametrize("snoozes", [0, 1000])
def test_what_may_be_billed_spends_an_attempt_and_pauses_the_lane_all_the_same(kind: Kind, snoozes: int) -> None:
    paid = problem(kind, may_be_billed=True)
    found = decided(paid, patience(snoozes=snoozes))
    assert isinstance(found, RetryIn)
    assert (found.hold is None) == (kind is Kind.WAIT)
    assert decided(paid, patience(spent=4, snoozes=snoozes)) == GiveUp(
        code="TheCode", message="the message", retryable=True, hold=found.hold
    )


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
    found = problem(Kind.TRANSIENT, retry_after_seconds=9.0, http_status=500, may_be_billed=True)
    assert decided(found) == RetryIn(delay_seconds=9.0, hold=of_fault(found))


@pytest.mark.parametrize(("billed", "spend"), [(True, "always"), (False, "unless_down")])
def test_a_fault_of_the_endpoint_holds_the_lane_and_spends_nothing_while_it_is_down_if_nothing_was_billed(
    billed: bool, spend: str
) -> None:
    found = problem(Kind.TRANSIENT, retry_after_seconds=9.0, http_status=503, may_be_billed=billed)
    assert decided(found) == RetryIn(delay_seconds=9.0, hold=of_fault(found), spend=spend)


@pytest.mark.parametrize("spent", [4, 99])
def test_the_store_says_whether_a_fault_that_was_not_billed_ends_the_last_attempt(spent: int) -> None:
    found = problem(Kind.TRANSIENT, retry_after_seconds=90.0, http_status=503)
    assert decided(found, patience(spent=spent)) == RetryIn(
        delay_seconds=90.0, hold=of_fault(found), spend="unless_down"
    )


@pytest.mark.parametrize("spent", [4, 99])
def test_a_fault_that_may_be_billed_ends_the_last_attempt_whatever_the_lane_is(spent: int) -> None:
    found = problem(Kind.TRANSIENT, http_status=503, may_be_billed=True)
    assert decided(found, patience(spent=spent)) == exhausted(found, of_fault(found))


def test_a_job_without_attempts_left_ends_with_the_upstreams_own_words() -> None:
    assert exhausted(problem(Kind.TRANSIENT)) == GiveUp(code="TheCode", message="the message", retryable=True)


@pytest.mark.parametrize("kind", [Kind.MEDIA, Kind.TRANSIENT])
def test_what_says_nothing_of_the_endpoint_always_spends_an_attempt(kind: Kind) -> None:
    assert decided(problem(kind, http_status=400)) == RetryIn(delay_seconds=0.0, hold=None, spend="always")


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


@pytest.mark.parametrize("on_unknown", ["retry", "fail"])
def test_the_end_of_a_job_spares_the_lane_nothing(on_unknown: str) -> None:
    found = problem(Kind.TRANSIENT, http_status=502, may_be_billed=True, unknown=True)
    given_up = decided(found, patience(most=1, on_unknown=on_unknown))
    assert isinstance(given_up, GiveUp)
    assert given_up.hold == of_fault(found)


@pytest.mark.parametrize("goes_on", [False, True])
def test_a_moment_in_a_refusal_is_counted_from_now(goes_on: bool) -> None:
    found = decided(problem(Kind.RATE, message="resets at 2023-11-14T22:14:20Z", goes_on=goes_on))
    assert isinstance(found, Snooze | PollLater)
    assert found.hold is not None
    assert found.hold.pause_seconds == 60
