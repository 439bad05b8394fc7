import logging
import threading
from collections.abc import Callable

import pytest

from jobs.errors import StoreUnavailable
from tests.fakes.waiting import wait_until
from worker.loops import Loop


class Steps:
    """Steps that count themselves; `ends` says how the first ones end."""

    def __init__(self, *ends: Exception | None, seconds: float = 0.0) -> None:
        self.count = 0
        self._ends = list(ends)
        self._seconds = seconds

    def __call__(self) -> float:
        self.count += 1
        end = self._ends.pop(0) if self._ends else None
        if end is not None:
            raise end
        return self._seconds


def running(step: Callable[[], float], *, pause_seconds: float = 0.001) -> Loop:
    loop = Loop("test loop", step, pause_seconds=pause_seconds)
    loop.start()
    return loop


def test_a_loop_steps_until_it_is_stopped() -> None:
    steps = Steps()
    loop = running(steps)
    wait_until(lambda: steps.count > 10)
    loop.stop()
    count = steps.count
    assert not any(thread.name == "test loop" and thread.is_alive() for thread in threading.enumerate())
    assert steps.count == count


def test_a_step_says_how_long_to_wait_and_a_nudge_ends_the_wait() -> None:
    steps = Steps(seconds=1000)
    loop = running(steps)
    wait_until(lambda: steps.count == 1)
    loop.nudge()
    wait_until(lambda: steps.count == 2)
    loop.stop()
    assert steps.count == 2


@pytest.mark.parametrize(
    ("error", "told"),
    [(StoreUnavailable("Redis is away"), "Redis is away"), (ZeroDivisionError("odd"), "failed; going on")],
)
def test_a_step_that_fails_is_told_of_and_tried_again(
    error: Exception, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    steps = Steps(error)
    with caplog.at_level(logging.WARNING):
        loop = running(steps)
        wait_until(lambda: steps.count > 2)
        loop.stop()
    assert told in caplog.text


def test_stopping_ends_a_long_wait_at_once() -> None:
    loop = running(Steps(seconds=1000))
    stopped = threading.Event()
    threading.Thread(target=lambda: (loop.stop(), stopped.set())).start()
    assert stopped.wait(4)
