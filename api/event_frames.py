"""Events as the bytes of a stream (text/event-stream)."""

from __future__ import annotations

from collections.abc import Iterator

PING = b": ping\n\n"
DONE = b"data: [DONE]\n\n"
PIECE_BYTES = 256 * 1024


def frames(kind: str, event: bytes, *, number: int) -> Iterator[bytes]:
    """The event, given as JSON without its number, in one write; a large one in pieces, each of which has its own time.

    There is no `id:` line: after one, the official SDKs fail on the comments that keep a stream alive.
    """
    whole = b'event: %s\ndata: %s,"sequence_number":%d}\n\n' % (kind.encode(), event[:-1], number)
    for start in range(0, len(whole), PIECE_BYTES):
        yield whole[start : start + PIECE_BYTES]
