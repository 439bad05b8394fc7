"""Reading the whole head of an answer, and within a bound."""

from __future__ import annotations

import http.client
from typing import Any

MOST_HEAD_BYTES = 64 * 1024


class BoundedHead:
    """The lines of a stream, MOST_HEAD_BYTES of them at most; http.client's own bound is a hundred times that."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._left = MOST_HEAD_BYTES

    def readline(self, most: int) -> bytes:
        """Raises HTTPException beyond the bound, and where the stream ends before the head does.

        http.client would take a head that was cut for a whole one.
        """
        line: bytes = self._stream.readline(min(most, self._left + 1))
        self._left -= len(line)
        if self._left < 0 or not line.endswith(b"\n"):
            raise http.client.HTTPException("the head of the answer is too large, or was cut")
        return line

    def close(self) -> None:
        self._stream.close()
