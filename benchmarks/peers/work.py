"""The work that every peer does: take an id and a body, POST the body, hand back the answer."""

import json
import os
import time
from collections.abc import Callable, Iterator

REDIS_URL = os.environ.get("BENCH_REDIS_URL", "redis://127.0.0.1:6379/0")
ENDPOINT = os.environ.get("BENCH_ENDPOINT", "http://127.0.0.1:1")
WIDTH = int(os.environ.get("BENCH_WIDTH", "0"))
TEXT = "Tell me in one sentence what is to be seen on the attached picture of a harbour in the evening. " * 4
"""It makes a request of about half a kilobyte, as many are."""

MODEL = "doubao-seed-1-6-251015"
HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer any"}


def mark_of(place: int) -> str:
    return f"{place:032x}"


def body_of(mark: str) -> str:
    return json.dumps({"model": MODEL, "input": TEXT, "metadata": {"mark": mark}, "stream": False})


FIRST_PACED = 1 << 32
"""The number of the first job that is sent with pauses; no other has it."""


def paced(count: int, pause_seconds: float, send: Callable[[str, str], None]) -> Iterator[float]:
    """Sends jobs one after the other; the time before each, by the monotonic clock."""
    first = FIRST_PACED if pause_seconds else 0
    for place in range(first, first + count):
        if pause_seconds:
            time.sleep(pause_seconds)
        mark = mark_of(place)
        body = body_of(mark)
        yield time.monotonic()
        send(mark, body)
