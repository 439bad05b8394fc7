"""What one reader of a response is streamed: how the job begins, what its log holds and will hold, how the job ends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

from api.log_edges import beginning, ending
from api.services import services
from api.told_items import MOST_CLOSED, ToldItems
from jobs.errors import JobNotFound, StoreUnavailable
from jobs.event_log import FIRST_NUMBER, RESTARTED, Look
from jobs.live_log import Following, News
from schemas.event_frames import DONE, PING, frame
from schemas.stream_event import encode

PING_SECONDS = 15.0
AGAIN_SECONDS = 2.0
"""After Redis could not be asked."""
RECENT_SECONDS = 2.0
"""An end that was seen longer ago, while the reader took what came before, may be none any more."""


class LogReader:
    """Follows job `number`; `after` is the number of the last event that the reader has, -1 for none.

    Numbers only grow. They are the same for every reader, and at every reading. Items of a repeated attempt have other
    places (`output_index`) for one who has just been told items that are void.
    """

    def __init__(self, number: str, *, after: int) -> None:
        self._number = number
        self._after = after
        self._seen = FIRST_NUMBER - 1
        self._over = False
        self._told = ToldItems()

    @property
    def over(self) -> bool:
        return self._over

    def read(self) -> Iterator[bytes]:
        """The events as the bytes of a stream, each as soon as it is known, to the last; comments where none comes.

        It ends without the last, and is not `over`, where the process is to stop.
        """
        followers = services().followers
        with followers.followed(self._number) as following:
            told: float | None = None
            while not self._over:
                if followers.closed:
                    return
                seconds = PING_SECONDS
                try:
                    yield from self._news(following, since=told or time.monotonic())
                except StoreUnavailable:
                    seconds = AGAIN_SECONDS
                except JobNotFound:
                    yield self._gone()
                if not self._over:
                    told = following.wait(seconds)
                    if told is None:
                        yield PING
        yield DONE

    def _news(self, following: Following, *, since: float) -> Iterator[bytes]:
        """What is to be told now, by looks that began at `since` or later. Raises JobNotFound, StoreUnavailable."""
        news = following.news(after=self._place, since=since)
        if self._after < FIRST_NUMBER - 1:
            yield from self._beginning(following, begun=news.look.begun)
        while True:
            look = news.look
            if look.entries and not look.superseded and (told := self._entries(news)):
                yield told
                since = max(since, time.monotonic() - RECENT_SECONDS)
            if look.ended_at is not None and news.begun >= since and (look.exhausted or look.superseded):
                yield from self._end(following, look)
                if self._over:
                    return
                since = time.monotonic()
            elif news.holds_all(since):
                return
            news = following.news(after=self._place, since=since)

    @property
    def _place(self) -> int:
        return max(self._after, self._seen)

    def _beginning(self, following: Following, *, begun: bool) -> Iterator[bytes]:
        first = following.log.shared("beginning", partial(beginning, self._number)) or ()
        for number, (kind, event) in enumerate(first if begun else first[:-1]):
            yield from self._tell(kind, event, number)

    def _entries(self, news: News) -> bytes:
        """What the log holds next. To a reader who has nothing of what is void it is not even told that it is."""
        look = news.look
        self._seen = look.entries[-1].number
        if look.void < look.entries[0].number and not self._told.moved:
            for entry in news.placed:
                self._told.placed(entry.type, entry.event)
            self._after = self._seen
            return news.frames
        void = look.void if self._after < FIRST_NUMBER else look.void - 1
        least = max(void, self._after)
        return b"".join(
            self._handed(entry.type, entry.event, entry.number) for entry in look.entries if entry.number > least
        )

    def _end(self, following: Following, look: Look) -> Iterator[bytes]:
        """What comes after the log."""
        end = following.log.shared(look.ended_at, partial(ending, self._number, look))
        if end is None:
            return
        # A Redis that crashed may have lost what this reader has read.
        number = max(look.last, self._seen) + 1
        for kind, event in end.untold:
            if kind != RESTARTED or self._after >= FIRST_NUMBER:
                yield from self._tell(kind, event, number)
            number += 1
        if end.output is not None:
            for place, closing in enumerate(self._told.closing(end.output)):
                yield frame(closing["type"], encode(closing), number=number + place)
            number += MOST_CLOSED
        yield from self._tell(*end.last, number)
        self._over = True

    def _tell(self, kind: str, event: bytes, number: int) -> Iterator[bytes]:
        """The event, unless the reader has it."""
        if number > self._after:
            yield self._handed(kind, event, number)

    def _handed(self, kind: str, event: bytes, number: int) -> bytes:
        if kind == RESTARTED:
            self._told.restart()
        self._after = number
        return frame(kind, self._told.placed(kind, event), number=number)

    def _gone(self) -> bytes:
        message = "The response was deleted."
        event = {"type": "error", "code": "response_deleted", "message": message, "param": None}
        self._over = True
        return self._handed("error", encode(event), self._after + 1)
