"""What many want to see is looked at once for all of them that ask at the same time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from jobs.errors import StoreUnavailable

T = TypeVar("T")
KEPT_SECONDS = 10.0


@dataclass(slots=True)
class _Place:
    """The latest look at one thing: when it began, and what it gave, or how it failed."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    begun: float = float("-inf")
    seen: Any = None
    failure: StoreUnavailable | None = None
    refreshing: bool = False

    def refresh(self, look: Callable[[], Any], *, since: float) -> None:
        with self.lock:
            if self.begun < since:
                begun = time.monotonic()
                try:
                    self.seen, self.failure = look(), None
                except StoreUnavailable as error:
                    self.failure = error
                self.begun = begun

    def refresh_meanwhile(self, look: Callable[[], Any], *, since: float) -> None:
        """On a thread of its own, unless one is at it."""
        if not self.refreshing:
            self.refreshing = True
            threading.Thread(target=self._refresh, args=(look, since), name="look", daemon=True).start()

    def _refresh(self, look: Callable[[], Any], since: float) -> None:
        try:
            self.refresh(look, since=since)
        finally:
            self.refreshing = False

    def told(self) -> Any:
        """What was seen. Raises StoreUnavailable."""
        if self.failure is not None:
            raise StoreUnavailable(str(self.failure)) from self.failure
        return self.seen


class Looks:
    """Those of one process."""

    def __init__(self) -> None:
        self._places: dict[Hashable, _Place] = {}
        self._lock = threading.Lock()

    def look(self, about: Hashable, look: Callable[[], T], *, since: float, meanwhile: float = float("inf")) -> T:
        """What `look` gave to whoever looked at the same, if that began at `since` (time.monotonic()) or later; else
        it is looked anew, by one at a time. What began at `meanwhile` or later will do, too, while that is done on a
        thread of its own. Raises what `look` does.
        """
        place = self._place(about)
        if place.begun < meanwhile:
            place.refresh(look, since=since)
        told = place.told()
        if place.begun < since:
            place.refresh_meanwhile(look, since=since)
        return cast(T, told)

    def _place(self, about: Hashable) -> _Place:
        with self._lock:
            old = time.monotonic() - KEPT_SECONDS
            for name in [name for name, place in self._places.items() if place.begun < old and not place.lock.locked()]:
                del self._places[name]
            return self._places.setdefault(about, _Place())
