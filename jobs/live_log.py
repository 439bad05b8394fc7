"""The end of a job's event log as this process knows it: read once, and framed once, for all who follow it here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

from jobs.errors import JobNotFound, StoreUnavailable
from jobs.event_log import FIRST_NUMBER, Entry, EventLog, Look, added
from jobs.log_tail import LogTail
from schemas.event_frames import frame
from schemas.stream_event import PLACES

T = TypeVar("T")

MOST_VIEWS = 8
"""Of those who are at different places, so many share what is made for them."""


@dataclass(frozen=True, kw_only=True)
class News:
    """A look at a log, which holds all that was so at `begun` (time.monotonic())."""

    look: Look
    begun: float

    def holds_all(self, since: float) -> bool:
        """Whether there was nothing more at that moment."""
        return self.look.exhausted and self.begun >= since

    def serves(self, since: float) -> bool:
        """Whether one who wants to know of that moment gets on by it. An end from before may be none any more."""
        if self.holds_all(since):
            return True
        return bool(self.look.entries) and (self.look.ended_at is None or self.begun >= since)

    @cached_property
    def frames(self) -> bytes:
        """All its entries, as one who has just what comes before them is told them."""
        return b"".join(frame(entry.type, entry.event, number=entry.number) for entry in self.look.entries)

    @cached_property
    def placed(self) -> Sequence[Entry]:
        """Its entries that say which places of the answer are taken."""
        return [entry for entry in self.look.entries if entry.type in PLACES]


class Following:
    """One who follows a log."""

    def __init__(self, log: LiveLog) -> None:
        self.log = log
        self._told = threading.Event()
        self._at = 0.0
        self.place = FIRST_NUMBER - 1
        """The number of the last event that it had when it last asked."""

    def news(self, *, after: int, since: float) -> News:
        """What comes after the event numbered `after`, to go on with; not always all that there was at `since`
        (time.monotonic()), as `News.holds_all` tells. Raises JobNotFound, StoreUnavailable.
        """
        self.place = after
        return self.log.news(after=after, since=since)

    def wait(self, seconds: float) -> float | None:
        """Returns as soon as it is worth looking again: since when (time.monotonic()); None when time is up."""
        if not self._told.wait(seconds):
            return None
        self._told.clear()
        return self._at

    def tell(self, at: float) -> None:
        self._at = at
        self._told.set()

    def forget(self) -> None:
        self._told.clear()


class LiveLog:
    """What the latest look at a log has shown, and its last events: those that not all `followers` have been told. What
    Redis tells of the log's growth is as good as a look.
    """

    def __init__(self, number: str, event_log: EventLog) -> None:
        self.followers: set[Following] = set()
        self._number = number
        self._event_log = event_log
        self._lock = threading.Lock()
        self._latest: News | None = None
        self._tail = LogTail()
        self._views: dict[int, News] = {}
        self._heard = 0
        self._growing = False
        """Whether nothing but growth was heard since the latest look, which saw all that there was."""
        self._doubted = False
        """Whether Redis may have lost what is known here: it was away."""
        self._failed_at, self._failure = float("-inf"), ""
        self._shared: dict[Hashable, Any] = {}
        self._sharing = threading.Lock()

    def hear(self, message: bytes, at: float) -> None:
        """What was told at that moment. It waits for nobody: one who looks just now may not see what is told."""
        self._heard += 1
        if not self._lock.locked() and self._lock.acquire(blocking=False):
            try:
                self._grow(added(message), at)
            finally:
                self._lock.release()
        self.wake(at)

    def doubt(self, at: float) -> None:
        """Redis was away, and what it told meanwhile was not heard."""
        self._heard += 1
        self._doubted = True
        self.wake(at)

    def wake(self, at: float) -> None:
        for following in tuple(self.followers):
            following.tell(at)

    def news(self, *, after: int, since: float) -> News:
        """For `Following.news`."""
        asked = time.monotonic()
        with self._lock:
            if self._doubted:
                self._doubted = False
                self._forget()
            view = self._view(after)
            if view is not None and view.serves(since):
                return view
            if self._latest is None or after >= self._tail.end:
                return self._looked_for_all(after, asked)
        return self._looked(after)

    def shared(self, about: Hashable, make: Callable[[], T | None]) -> T | None:
        """What `make` gave to the first of those who follow, unless that was None. Raises what it raises."""
        asked = time.monotonic()
        with self._sharing:
            found: T | None = self._shared.get(about)
            if found is None:
                with self._failing_together(asked):
                    found = make()
                if found is not None:
                    self._shared[about] = found
            return found

    def _view(self, after: int) -> News | None:
        """The latest look as it would be after that number, if that can be told."""
        if self._latest is None:
            return None
        view = self._views.get(after)
        if view is None and self._tail.covers(after):
            view = replace(self._latest, look=replace(self._latest.look, entries=self._tail.behind(after)))
            if len(self._views) < MOST_VIEWS:
                self._views[after] = view
        return view

    def _looked_for_all(self, after: int, asked: float) -> News:
        with self._failing_together(asked):
            heard, news = self._heard, self._looked(after)
        if news.look.last >= after:
            self._keep(after, news)
            self._growing = heard == self._heard and news.look.exhausted and news.look.ended_at is None
        elif after == self._tail.end:
            self._forget()  # Redis has lost what was read; a number beyond the end is only made up
        return news

    @contextmanager
    def _failing_together(self, asked: float) -> Iterator[None]:
        """Where Redis is away, all who had asked by then are told by one, and do not try one after the other."""
        if self._failed_at >= asked:
            raise StoreUnavailable(self._failure)
        begun = time.monotonic()
        try:
            yield
        except StoreUnavailable as error:
            self._failed_at, self._failure = begun, str(error)
            raise

    def _looked(self, after: int) -> News:
        begun = time.monotonic()
        look = self._event_log.look(self._number, after=after)
        if look is None:
            raise JobNotFound(self._number)
        return News(look=look, begun=begun)

    def _grow(self, entries: Sequence[Entry], at: float) -> None:
        if self._latest is None or not self._growing or not entries or entries[0].number > self._tail.end + 1:
            self._growing = False
            return
        new = [
            entry for entry in entries if entry.number > self._tail.end
        ]  # a look may have been quicker than the message
        last = max(self._latest.look.last, entries[-1].number)
        grown = replace(self._latest.look, status="in_progress", last=last, loose=True, entries=new)
        self._keep(self._tail.end, News(look=grown, begun=at))

    def _keep(self, after: int, news: News) -> None:
        """Nobody is told again what all have."""
        entries = news.look.entries
        if not self._tail.joins(after, entries):
            self._forget()
        self._latest, self._views = news, {after: news}
        self._tail.add(after, entries)
        self._tail.forget_to(min((following.place for following in tuple(self.followers)), default=self._tail.end))

    def _forget(self) -> None:
        self._latest, self._views, self._growing = None, {}, False
        self._tail.clear()
