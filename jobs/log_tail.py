"""The last events of a log, as far as somebody may still be told them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from jobs.event_log import FIRST_NUMBER, Entry

MOST_BYTES = 256 * 1024
"""Of events that not all have been told; one who is further behind reads them alone."""


class LogTail:
    """Numbers grow, and may be left out between attempts. `end` is that of the last event there was, kept or not."""

    def __init__(self) -> None:
        self.end = FIRST_NUMBER - 1
        self.entries: list[Entry] = []
        self._bytes = 0

    def covers(self, after: int) -> bool:
        """Whether all that comes after that number, up to the end, is here."""
        first = self.entries[0].number if self.entries else self.end + 1
        return first - 1 <= after <= self.end

    def behind(self, after: int) -> Sequence[Entry]:
        """The entries that come after that number."""
        return self.entries[self._count_to(after) :]

    def joins(self, after: int, entries: Sequence[Entry]) -> bool:
        """Whether these, found behind that number, go on where the tail ends."""
        return after == self.end and (not entries or entries[0].number == after + 1)

    def add(self, after: int, entries: Sequence[Entry]) -> None:
        """What was found behind that number; the first goes where it becomes too much."""
        self.entries += entries
        self._bytes += sum(len(entry.event) for entry in entries)
        self.end = entries[-1].number if entries else after
        while self._bytes > MOST_BYTES:
            self._drop(1)

    def forget_to(self, number: int) -> None:
        """All have been told as much."""
        self._drop(self._count_to(number))

    def clear(self) -> None:
        self._drop(len(self.entries))

    def _count_to(self, number: int) -> int:
        return bisect_right(self.entries, number, key=lambda entry: entry.number)

    def _drop(self, count: int) -> None:
        self._bytes -= sum(len(entry.event) for entry in self.entries[:count])
        del self.entries[:count]
