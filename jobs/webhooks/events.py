"""The feed: every event of a project, for whoever would rather ask than be called."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import redis

from jobs import keys, scripts
from jobs.errors import CursorExpired, CursorMalformed

SETTLED_MS = 60_000
"""Nothing joins the feed with an earlier time than this before now."""

SLACK_MS = 3_600_000
"""For so long beyond the retention the feed is kept, so that who reads on page by page does not lose the thread."""

_CURSOR = re.compile(r"(\d{1,15})-(\d{1,15})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """`cursor` is what the next page goes on after."""

    events: list[dict[str, Any]]
    cursor: str
    has_more: bool


class EventFeed:
    """`retention_seconds`: for how long the feed holds an event."""

    def __init__(self, client: redis.Redis, *, retention_seconds: float = 7 * 86400.0) -> None:
        self._client = client
        self._retention_ms = round(retention_seconds * 1000)

    def page(self, project: str, *, after: str | None, limit: int) -> EventPage:
        """At most `limit` events after the cursor (None: from the oldest that is kept), oldest first.

        Raises CursorMalformed, CursorExpired, StoreUnavailable.
        """
        start = _place(after) if after is not None else None
        with scripts.translated():
            # The time goes first: what comes between the two is later than the cursor.
            seconds, micros = self._client.time()
            now_ms = int(seconds) * 1000 + int(micros) // 1000
            oldest = now_ms - self._retention_ms
            if start is not None and start[0] < oldest - SLACK_MS:
                raise CursorExpired(after)
            # The stream may still hold what is older: whoever begins there would soon be told that it has gone.
            low = f"({_text(start)}" if start is not None else str(oldest)
            rows: Any = self._client.xrange(keys.events(project), min=low, count=limit + 1)
        return _page(rows[:limit], start, now_ms=now_ms, has_more=len(rows) > limit)


def _page(rows: list[Any], start: tuple[int, int] | None, *, now_ms: int, has_more: bool) -> EventPage:
    last = _place(rows[-1][0].decode()) if rows else start or (0, 0)
    # Who has read all of a quiet feed still holds a cursor that does not grow old.
    cursor = last if has_more else max(last, (now_ms - SETTLED_MS, 0))
    return EventPage(
        events=[json.loads(fields[b"event"]) for _, fields in rows], cursor=_text(cursor), has_more=has_more
    )


def _place(cursor: str) -> tuple[int, int]:
    """Milliseconds, and a count within them. Raises CursorMalformed."""
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise CursorMalformed(cursor)
    return int(found[1]), int(found[2])


def _text(place: tuple[int, int]) -> str:
    return f"{place[0]}-{place[1]}"
