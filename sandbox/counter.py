"""Counting by key."""

import threading
from collections import OrderedDict

KEYS_MAX = 200_000


class Counter:
    """Counts by key; beyond `keys_max` keys the one that was not counted for longest is forgotten."""

    def __init__(self, *, keys_max: int = KEYS_MAX) -> None:
        self._keys_max = keys_max
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, key: str) -> int:
        """Count one more of `key`; how many there are now."""
        with self._lock:
            count = self._counts.pop(key, 0) + 1
            self._counts[key] = count
            if len(self._counts) > self._keys_max:
                self._counts.popitem(last=False)
            return count

    def at_least(self, count: int) -> dict[str, int]:
        """The keys counted that often or more."""
        with self._lock:
            return {key: seen for key, seen in self._counts.items() if seen >= count}

    def clear(self) -> None:
        with self._lock:
            self._counts.clear()
