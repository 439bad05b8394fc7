from collections.abc import Sequence
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from jobs.settings import Settings
from jobs.webhooks.deliveries import Verdict
from worker.webhooks.results import Answered, Failed
from worker.webhooks.schedule import judge

NOW = 1_700_000_000.0
SCHEDULE = (0.0, 5.0, 300.0, 1800.0)
LAST = len(SCHEDULE) - 1
DAY = 86400.0


def answered(http_status: int, retry_after: str | None = None) -> Answered:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return Answered(http_status=http_status, headers=CaseInsensitiveDict(headers), answer=b"")


def judged(
    result: Answered | Failed, *, step: int = 0, schedule: Sequence[float] = SCHEDULE, random: float = 0.5
) -> Verdict:
    """By 0.5, exactly the schedule's own seconds."""
    return judge(result, step=step, schedule=schedule, now=NOW, random=lambda: random)


def again(origin: Any, *, delay: float = 5.0, pause: float = 0.0) -> Verdict:
    return Verdict(status="retrying", origin=origin, delay_seconds=delay, pause_seconds=pause)


@pytest.mark.parametrize("step", [0, 2, LAST, 99])
@pytest.mark.parametrize(
    ("result", "verdict"),
    [
        (answered(200), Verdict(status="delivered", origin="up")),
        (answered(204, "60"), Verdict(status="delivered", origin="up")),
        (answered(299), Verdict(status="delivered", origin="up")),
        (answered(410), Verdict(status="gone", origin="up")),
        (answered(410, "60"), Verdict(status="gone", origin="up")),
        (Failed(error="blocked_url"), Verdict(status="blocked", origin="unmoved")),
        (Failed(error="blocked_address"), Verdict(status="blocked", origin="unmoved")),
        (Failed(error="stopping"), Verdict(status="retrying", origin="unmoved", spends=False)),
    ],
)
def test_what_ends_a_delivery_or_says_nothing_of_it_does_so_at_any_step(
    result: Answered | Failed, verdict: Verdict, step: int
) -> None:
    assert judged(result, step=step) == verdict


REFUSALS = (199, 300, 301, 302, 307, 308, 400, 401, 403, 404, 408, 409, 422, 499)
NO_ANSWERS = ("dns_error", "connect_timeout", "connect_error", "tls_error", "timeout", "connection_cut")
FAILURES = [
    *((answered(status), "up", 0.0) for status in REFUSALS),
    *((answered(status), "fault", 0.0) for status in (500, 501, 505, 507, 599)),
    *((answered(status), "throttled", 5.0) for status in (429, 502, 503, 504)),
    *((Failed(error=error), "fault", 0.0) for error in NO_ANSWERS),
]


@pytest.mark.parametrize(("result", "origin", "pause"), FAILURES)
def test_any_other_failure_is_tried_again_after_the_next_time_of_the_schedule(
    result: Answered | Failed, origin: str, pause: float
) -> None:
    for step in range(LAST):
        assert judged(result, step=step) == again(origin, delay=SCHEDULE[step + 1], pause=pause)


@pytest.mark.parametrize(("result", "origin", "pause"), FAILURES)
@pytest.mark.parametrize("step", [LAST, LAST + 1, 99])
def test_after_the_last_time_of_the_schedule_it_is_exhausted_and_the_origin_hears_of_it_all_the_same(
    result: Answered | Failed, origin: Any, pause: float, step: int
) -> None:
    assert judged(result, step=step) == Verdict(status="exhausted", origin=origin, pause_seconds=pause)


def test_a_schedule_of_one_attempt_has_no_second() -> None:
    assert judged(answered(500), schedule=[0.0]).status == "exhausted"


@pytest.mark.parametrize(
    ("wish", "delay", "pause"),
    [
        ("0", 5.0, 1.0), ("0.5", 5.0, 1.0), ("3", 5.0, 3.0), ("9", 9.0, 9.0), ("60", 60.0, 60.0),
        ("61", 61.0, 60.0), ("7200", 7200.0, 60.0), ("86400", DAY, 60.0), ("86401", DAY, 60.0),
        ("999999999999", DAY, 60.0), ("-5", 5.0, 5.0), ("soon", 5.0, 5.0), ("", 5.0, 5.0), ("nan", 5.0, 5.0),
        ("inf", 5.0, 5.0), ("9" * 400, 5.0, 5.0),
        (formatdate(NOW + 60, usegmt=True), 60.0, 60.0), (formatdate(NOW - 60, usegmt=True), 5.0, 1.0),
        (formatdate(NOW + 10 * DAY, usegmt=True), DAY, 60.0), ("Tue, 99 Nov 2023 22:13:50 GMT", 5.0, 5.0),
    ],
)  # fmt: skip
@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_the_origin_pauses_as_long_as_asked_from_1_s_to_5_min_and_the_delivery_waits_up_to_a_day(
    status: int, wish: str, delay: float, pause: float
) -> None:
    assert judged(answered(status, wish)) == again("throttled", delay=delay, pause=pause)


@pytest.mark.parametrize("status", [500, 501, 599])
def test_any_fault_with_a_wish_that_makes_sense_throttles(status: int) -> None:
    assert judged(answered(status, "60")) == again("throttled", delay=60.0, pause=60.0)
    assert judged(answered(status, "soon")) == again("fault")


@pytest.mark.parametrize("status", [301, 404, 409])
def test_a_refusal_with_a_wish_holds_up_its_own_delivery_alone(status: int) -> None:
    assert judged(answered(status, "60")) == again("up", delay=60.0)


def test_a_wish_shorter_than_the_schedule_does_not_hurry_it() -> None:
    assert judged(answered(503, "60"), step=2) == again("throttled", delay=1800.0, pause=60.0)


@given(
    step=st.integers(0, 8),
    random=st.floats(0, 1),
    result=st.sampled_from([result for result, _, _ in FAILURES]),
)
def test_the_wait_is_within_a_fifth_of_the_schedule_s(step: int, random: float, result: Answered | Failed) -> None:
    schedule = Settings().webhook_schedule
    found = judged(result, step=step, schedule=schedule, random=random)
    assert 0.8 * schedule[step + 1] <= found.delay_seconds <= 1.2 * schedule[step + 1]


def test_the_jitter_reaches_both_ends() -> None:
    delays = [judged(answered(500), step=1, random=random).delay_seconds for random in (0.0, 0.5, 1.0)]
    assert delays == pytest.approx([240.0, 300.0, 360.0])


@given(step=st.integers(0, 20), wish=st.text(max_size=20), status=st.integers(200, 599), random=st.floats(0, 1))
def test_any_answer_has_a_verdict_within_bounds(step: int, wish: str, status: int, random: float) -> None:
    found = judged(answered(status, wish), step=step, random=random)
    assert 0 <= found.delay_seconds <= DAY
    assert found.pause_seconds == 0 or (found.origin == "throttled" and 1 <= found.pause_seconds <= 60)
    assert found.spends is True


def test_the_usual_schedule_makes_ten_attempts_in_75_h_35_min_5_s() -> None:
    schedule, waited, step = Settings().webhook_schedule, 0.0, 0
    assert schedule[0] == 0
    while (found := judged(answered(500), step=step, schedule=schedule)).status == "retrying":
        waited += found.delay_seconds
        step += 1
    assert (step + 1, found.status) == (10, "exhausted")
    assert waited == 75 * 3600 + 35 * 60 + 5


def test_what_is_this_process_s_own_trouble_spends_nothing_and_is_tried_again_soon() -> None:
    verdict = judge(Failed(error="too_many_open_files"), step=9, schedule=(0, 5), now=0, random=lambda: 0.5)
    assert verdict == Verdict(status="retrying", origin="unmoved", spends=False, delay_seconds=5.0)
