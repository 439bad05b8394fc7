"""The end of a job's event log as this process knows it: read once, and framed once, for all who follow it here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar, cast

from jobs.errors import JobNotFound, StoreUnavailable
from jobs.event_log import FIRST_NUMBER, Entry, EventLog, Look, told
from schemas.event_frames import frame
from schemas.stream_event import PLACES

T = TypeVar("T")

MOST_KEPT_BYTES = 256 * 1024
"""Of events that not all have been told; one who is further behind reads them alone."""


@dataclass(frozen=True, kw_only=True)
class News:
    """A look at a log, which holds all that was so at `begun` (time.monotonic())."""

    look: Look
    begun: float

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
        """The number of the last event that it is known to have."""

    def news(self, *, after: int, since: float) -> News:
        """What comes after the event numbered `after`. It may have begun before `since` (time.monotonic()), if it holds
        entries: then there may be more. Raises JobNotFound, StoreUnavailable.
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
        self._end = FIRST_NUMBER - 1
        self._entries: list[Entry] = []
        self._bytes = 0
        self._views: dict[int, News] = {}
        self._heard = 0
        self._growing = False
        """Whether nothing but growth was heard since the latest look, which saw all that there was."""
        self._failure: tuple[float, StoreUnavailable] | None = None
        self._shared: dict[Hashable, Any] = {}
        self._sharing = threading.Lock()

    def shared(self, about: Hashable, make: Callable[[], T]) -> T:
        """What `make` gave to the first of those who follow. Raises what it raises."""
        with self._sharing:
            if about not in self._shared:
                self._shared[about] = make()
            return cast(T, self._shared[about])

    def hear(self, message: bytes, at: float) -> None:
        """What was told at that moment. It waits for nobody: one who looks just now may not see what is told."""
        self._heard += 1
        if self._lock.acquire(blocking=False):
            try:
                self._grow(told(message), at)
            finally:
                self._lock.release()
        self.wake(at)

    def wake(self, at: float) -> None:
        for following in self.followers:
            following.tell(at)

    def news(self, *, after: int, since: float) -> News:
        """For `Following.news`."""
        with self._lock:
            if self._latest is None or after == self._end:
                if self._latest is None or self._latest.begun < since:
                    return self._looked_for_all(after, since)
                return self._view(after)
            if self._end - len(self._entries) <= after < self._end:
                return self._view(after)
        return self._looked(after)

    def _view(self, after: int) -> News:
        """The latest look as it would be after that number."""
        assert self._latest is not None
        view = self._views.get(after)
        if view is None:
            entries = self._entries[after - self._end :] if after < self._end else []
            look = replace(self._latest.look, entries=entries)
            view = self._views[after] = News(look=look, begun=self._latest.begun)
        return view

    def _looked_for_all(self, after: int, since: float) -> News:
        """Also where it fails, it does so once for all who ask at the same time."""
        if self._failure is not None and self._failure[0] >= since:
            raise StoreUnavailable(str(self._failure[1])) from self._failure[1]
        begun, heard = time.monotonic(), self._heard
        try:
            news = self._looked(after)
        except StoreUnavailable as error:
            self._failure = begun, error
            raise
        if news.look.last < after:  # a reader made the number up, or Redis lost what was read
            self._latest = None
        else:
            self._keep(after, news)
            self._growing = heard == self._heard and news.look.exhausted and news.look.ended_at is None
        return news

    def _looked(self, after: int) -> News:
        begun = time.monotonic()
        look = self._event_log.look(self._number, after=after)
        if look is None:
            raise JobNotFound(self._number)
        return News(look=look, begun=begun if look.exhausted else float("-inf"))

    def _grow(self, entries: Sequence[Entry], at: float) -> None:
        if self._latest is None or not self._growing or not entries or entries[0].number != self._end + 1:
            self._growing = False
            return
        look = self._latest.look
        grown = replace(look, status="in_progress", last=entries[-1].number, loose=True, entries=entries)
        self._keep(self._end, News(look=grown, begun=at))

    def _keep(self, after: int, news: News) -> None:
        """Nobody is told again what all have, and what is kept for one who is slow has its bound."""
        if (
            self._latest is None
            or after != self._end
            or (news.look.entries and news.look.entries[0].number != after + 1)
        ):
            self._drop(len(self._entries))
        self._latest = news
        self._views = {}
        self._entries += news.look.entries
        self._bytes += sum(len(entry.event) for entry in news.look.entries)
        self._end = news.look.entries[-1].number if news.look.entries else after
        least = min((following.place for following in self.followers), default=self._end)
        self._drop(len(self._entries) - (self._end - least))
        while self._bytes > MOST_KEPT_BYTES:
            self._drop(1)

    def _drop(self, count: int) -> None:
        """The first of the entries."""
        if count > 0:
            self._bytes -= sum(len(entry.event) for entry in self._entries[:count])
            del self._entries[:count]
