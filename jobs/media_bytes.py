"""The bytes of a medium, read where they are wanted and never as a whole."""

from __future__ import annotations

import binascii

_LONGEST_HEADER = 256


class MediaBytes:
    """The payload of a base64 data URI, of which only what is read gets decoded."""

    def __init__(self, data_uri: str) -> None:
        self._text = data_uri
        self._start = data_uri.find(",", 0, _LONGEST_HEADER) + 1
        padding = data_uri.count("=", max(self._start, len(data_uri) - 2))
        self.size = (len(data_uri) - self._start) * 3 // 4 - padding

    def read(self, at: int, count: int) -> bytes:
        """`count` bytes from the place `at`; fewer at the end, or where the text is no base64."""
        if not 0 <= at < self.size:
            return b""
        end = min(at + count, self.size)
        first, last = at // 3, -(-end // 3)
        try:
            decoded = binascii.a2b_base64(self._text[self._start + 4 * first : self._start + 4 * last])
        except ValueError:
            return b""
        return decoded[at - 3 * first : end - 3 * first]

    def number(self, at: int, count: int) -> int | None:
        """The unsigned number in `count` bytes from `at`, highest byte first; None beyond the end."""
        found = self.read(at, count)
        return int.from_bytes(found, "big") if len(found) == count else None

    def little(self, at: int, count: int) -> int | None:
        """As `number`, lowest byte first."""
        found = self.read(at, count)
        return int.from_bytes(found, "little") if len(found) == count else None
