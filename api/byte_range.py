"""`Range`: the part of some bytes that a request asks for (RFC 9110, 14.2)."""

from __future__ import annotations

import re

ONE_RANGE = re.compile(r"bytes=[ \t]*([0-9]{0,100})-([0-9]{0,100})[ \t]*", re.ASCII | re.IGNORECASE)


def asked_part(header: str | None, *, size: int) -> range | None:
    """The places of the bytes that are asked for among `size`; of length 0 where none of them is there.

    None: all, since nothing is asked for, or several parts at once, or in words that are not understood.
    """
    found = ONE_RANGE.fullmatch(header or "")
    if found is None or not any(found.groups()):
        return None
    first, last = found.groups()
    if not first:
        return range(max(0, size - int(last)), size)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(int(last) + 1, size) if last else size)
