import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from sandbox.errors import Refused
from sandbox.limiter import Limiter


def is_admitted(limiter: Limiter) -> bool:
    try:
        limiter.admit()
    except Refused:
        return False
    return True


def test_exactly_so_many_are_let_in_however_many_come_at_once() -> None:
    limiter = Limiter(per_minute=7)
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: is_admitted(limiter), range(100))) == 7


def test_one_that_is_refused_is_told_how_long_to_wait() -> None:
    limiter = Limiter(per_minute=1)
    assert limiter.admit() == {"x-ratelimit-limit-requests": "1", "x-ratelimit-remaining-requests": "0"}
    with pytest.raises(Refused) as caught:
        limiter.admit()
    assert (caught.value.status, caught.value.code) == (429, "RateLimitExceeded.EndpointRPMExceeded")
    assert caught.value.retry_after_seconds is not None
    assert 1 <= caught.value.retry_after_seconds <= 60


def test_no_window_holds_more_than_the_bound() -> None:
    limiter, window, starts = Limiter(per_minute=3, window_seconds=0.05), 0.05, []
    while len(starts) < 12:
        before = time.monotonic()
        if is_admitted(limiter):
            starts.append((before, time.monotonic()))
    assert all(later[1] - earlier[0] >= window for earlier, later in zip(starts, starts[3:], strict=False))


def test_without_a_bound_all_are_let_in() -> None:
    assert all(is_admitted(Limiter(per_minute=None)) for _ in range(1_000))
