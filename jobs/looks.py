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


class Looks:
    """Those of one process."""

    def __init__(self) -> None:
        self._places: dict[Hashable, _Place] = {}
        self._lock = threading.Lock()

    def look(self, about: Hashable, look: Callable[[], T], *, since: float) -> T:
        """What `look` gave to whoever looked at the same, if that began at `since` (time.monotonic()) or later; else
        it is looked anew, by one at a time. Raises what `look` does.
        """
        place = self._place(about)
        with place.lock:
            if place.begun < since:
                place.begun, place.failure = time.monotonic(), None
                try:
                    place.seen = look()
                except StoreUnavailable as error:
                    place.failure = error
                except BaseException:
                    place.begun = float("-inf")
                    raise
            if place.failure is not None:
                raise StoreUnavailable(str(place.failure)) from place.failure
            return cast(T, place.seen)

    def _place(self, about: Hashable) -> _Place:
        with self._lock:
            old = time.monotonic() - KEPT_SECONDS
            for name in [name for name, place in self._places.items() if place.begun < old and not place.lock.locked()]:
                del self._places[name]
            return self._places.setdefault(about, _Place())
