"""One job as it goes on: the parts of its page, and the text of its answer as it comes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from api.console.door import SIGNED_OUT
from api.console.frames import frame, refusal
from api.console.job_texts import JobTexts
from api.console.live import LIFE_SECONDS, REST_SECONDS, Parts, Shown, looked, own, signed_in
from api.services import services
from jobs.errors import JobNotFound, StoreUnavailable
from jobs.live_log import Following

SOON_SECONDS = 2.0
"""For a place in the queue or a delivery that is owed: both change without a word."""

LATER_SECONDS = 15.0
GONE = "This job is no longer kept."


def job_events(number: str, draw: Callable[[], tuple[Parts, bool]]) -> Iterator[bytes]:
    """What a page of job `number` is to be told. `draw` gives its parts, and whether nothing more will change.

    Each connection begins with `begin`: what was streamed before is told again.
    """
    yield frame("begin", {})
    page = _JobPage(number, draw)
    until = time.monotonic() + LIFE_SECONDS
    with services().followers.followed(number) as following:
        told: float | None = time.monotonic()
        while time.monotonic() < until and not services().followers.closed:
            yield from page.news(following, told=told)
            if page.over:
                return
            if page.seconds:
                told = following.wait(page.seconds) or (told if page.rests else None)
            elif told is not None:
                told = max(told, time.monotonic() - SOON_SECONDS)  # the reader may have taken its time
    yield frame("again", {})


class _JobPage:
    """What one reader's page shows; `seconds` until it is worth looking again where nothing is heard. It `rests` where
    what was heard is yet to be drawn.
    """

    def __init__(self, number: str, draw: Callable[[], tuple[Parts, bool]]) -> None:
        self._number = number
        self._draw = draw
        self._shown, self._texts = Shown(), JobTexts()
        self._status, self._drawn_at = "", float("-inf")
        self.seconds = 0.0
        self.rests = False
        self.over = False

    def news(self, following: Following, *, told: float | None) -> Iterator[bytes]:
        """`told`: when something was heard of the job, so that a look from before will not do."""
        try:
            if not signed_in():
                yield from self._refused(SIGNED_OUT)
            else:
                yield from self._looked(following, told)
        except JobNotFound:
            yield from self._refused(GONE)
        except StoreUnavailable:
            self.seconds = SOON_SECONDS
            yield self._shown.away()

    def _looked(self, following: Following, told: float | None) -> Iterator[bytes]:
        now = time.monotonic()
        news = following.news(after=self._texts.seen, since=told or now)
        look = news.look
        yield from self._texts.news(look)
        self.seconds, self.rests = 0.0, False
        if not news.holds_all(told or now):
            return
        rest = self._drawn_at + REST_SECONDS - now
        if look.status == self._status and rest > 0:
            self.seconds, self.rests = rest, True
            return
        self._status, self._drawn_at = look.status, now
        parts, over = looked(self._draw, since=told or now - SOON_SECONDS * 0.9)
        yield self._shown.news(own(parts))
        self.seconds = LATER_SECONDS if look.status == "in_progress" else SOON_SECONDS
        if over:
            self.over = True
            yield frame("over", {})

    def _refused(self, why: str) -> Iterator[bytes]:
        self.over = True
        yield refusal(why)
