"""Events as the bytes of a stream (text/event-stream)."""

from __future__ import annotations

PING = b": ping\n\n"
DONE = b"data: [DONE]\n\n"


def frame(kind: str, event: bytes, *, number: int) -> bytes:
    """The event, given as JSON without its number.

    There is no `id:` line: after one, the official SDKs fail on the comments that keep a stream alive.
    """
    return b'event: %s\ndata: %s,"sequence_number":%d}\n\n' % (kind.encode(), event[:-1], number)
