import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sandbox.errors import Refused
from sandbox.limiter import Limiter
from sandbox.limits import Limits


def limiter_of(**limits: Any) -> Limiter:
    return Limiter(limits=Limits(**limits))


def is_admitted(limiter: Limiter) -> bool:
    try:
        limiter.admit()
    except Refused:
        return False
    return True


def refusal_of(limiter: Limiter) -> Refused:
    with pytest.raises(Refused) as caught:
        limiter.admit()
    return caught.value


def test_exactly_so_many_are_let_in_however_many_come_at_once() -> None:
    limiter = limiter_of(requests_per_minute=7)
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: is_admitted(limiter), range(100))) == 7


def test_one_that_is_refused_is_told_how_long_to_wait() -> None:
    limiter = limiter_of(requests_per_minute=1)
    limiter.admit()
    refusal = refusal_of(limiter)
    assert (refusal.status, refusal.code) == (429, "RateLimitExceeded.EndpointRPMExceeded")
    assert refusal.retry_after_seconds == 60


@pytest.mark.parametrize("limiter", ["sliding", "fixed", "bucket"])
def test_a_limit_holds_by_every_way_of_counting(limiter: str) -> None:
    strict = limiter_of(requests_per_minute=3, limiter=limiter, bucket=3)
    assert [is_admitted(strict) for _ in range(5)] == [True, True, True, False, False]


def test_no_window_holds_more_than_the_bound() -> None:
    limiter, window, starts = limiter_of(requests_per_minute=3, window_seconds=0.05), 0.05, []
    while len(starts) < 12:
        before = time.monotonic()
        if is_admitted(limiter):
            starts.append((before, time.monotonic()))
    assert all(later[1] - earlier[0] >= window for earlier, later in zip(starts, starts[3:], strict=False))


def test_tokens_that_were_spent_refuse_the_next_call() -> None:
    limiter = limiter_of(tokens_per_minute=100)
    limiter.admit()
    limiter.spend(99)
    limiter.admit()
    limiter.spend(300)
    assert refusal_of(limiter).code == "RateLimitExceeded.EndpointTPMExceeded"
    assert limiter.headers(status=200)["x-ratelimit-remaining-tokens"] == "0"


def test_a_slot_is_free_when_a_call_is_over() -> None:
    limiter = limiter_of(in_flight=2)
    assert [is_admitted(limiter) for _ in range(3)] == [True, True, False]
    assert refusal_of(limiter).code == "InflightBatchsizeExceeded"
    limiter.release()
    assert [is_admitted(limiter) for _ in range(2)] == [True, False]


def test_calls_in_flight_may_not_grow_too_fast() -> None:
    limiter = limiter_of(ramp_per_second=2)
    assert [is_admitted(limiter) for _ in range(3)] == [True, True, False]
    assert refusal_of(limiter).code == "RequestBurstTooFast"
    limiter.release()
    assert is_admitted(limiter)


def test_without_a_bound_all_are_let_in_and_nothing_is_told() -> None:
    limiter = limiter_of()
    assert all(is_admitted(limiter) for _ in range(1_000))
    assert limiter.headers(status=200) == {}


def test_a_refused_call_takes_nothing_of_any_limit() -> None:
    limiter = limiter_of(requests_per_minute=2, in_flight=1)
    limiter.admit()
    assert [is_admitted(limiter) for _ in range(5)] == [False] * 5
    limiter.release()
    assert is_admitted(limiter)


def test_a_limit_can_be_changed_and_what_came_still_counts() -> None:
    limiter = limiter_of(requests_per_minute=4)
    assert [is_admitted(limiter) for _ in range(2)] == [True, True]
    assert limiter.change({"requests_per_minute": 2}) == limiter.limits == Limits(requests_per_minute=2)
    assert not is_admitted(limiter)
    limiter.change({"requests_per_minute": None})
    assert is_admitted(limiter)


def test_a_limit_that_comes_later_counts_what_came_before() -> None:
    limiter = limiter_of()
    assert all(is_admitted(limiter) for _ in range(3))
    limiter.change({"requests_per_minute": 4})
    assert [is_admitted(limiter) for _ in range(2)] == [True, False]


def test_a_limiter_may_keep_silent_about_when_to_come_again() -> None:
    limiter = limiter_of(requests_per_minute=1, retry_after="no")
    limiter.admit()
    assert refusal_of(limiter).retry_after_seconds is None
    assert limiter.headers(status=429) == {}
    assert limiter.headers(status=200)["x-ratelimit-remaining-requests"] == "0"
