"""Waiting for what must come true."""

import time
from collections.abc import Callable


def wait_until(is_true: Callable[[], bool], *, seconds: float = 30.0) -> None:
    """Return as soon as `is_true()`; fail when that takes longer than `seconds`."""
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, "what was waited for did not come true"
        time.sleep(0.005)
