"""The lists that deliveries stand in: by class, of each project and of each webhook endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import redis

from jobs import keys, scripts
from jobs.errors import CursorNotFound

CLASSES = {
    "open": ("pending", "sending", "retrying"),
    "delivered": ("delivered",),
    "dead": ("exhausted", "gone", "blocked", "cancelled"),
}
CHUNK = 200

Place = tuple[int, str]
"""Where a delivery stands: microseconds of its beginning or last replay, and its number."""


class DeliveryLists:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def of(self, kind: str, *, project: str | None, endpoint: str | None) -> list[str]:
        """The keys of the lists of a class: of the project's endpoint, else of the project, or (None) of all.

        Raises StoreUnavailable.
        """
        if endpoint is not None:
            return self._of_endpoint(kind, endpoint, project)
        if project is not None:
            return [keys.project_deliveries(kind, project)]
        with scripts.translated():
            names: Any = self._client.smembers(keys.PROJECTS)
        return [keys.project_deliveries(kind, name.decode()) for name in sorted(names)]

    def _of_endpoint(self, kind: str, endpoint: str, project: str | None) -> list[str]:
        """Of an endpoint that was deleted, its latest delivery still tells whose it was: all are of one project."""
        key = keys.endpoint_deliveries(kind, endpoint)
        if project is None:
            return [key]
        with scripts.translated():
            owner: Any = self._client.hget(keys.webhook_endpoint(endpoint), "project")
            latest: Any = [] if owner else self._client.zrange(key, -1, -1)
        if owner:
            return [key] if owner.decode() == project else []
        try:
            return [key for number in latest if self.place(number.decode(), project=project)]
        except CursorNotFound:
            return []

    def place(self, number: str, *, project: str | None) -> Place:
        """By the lists, which know a delivery for longer than its record is kept. Raises CursorNotFound."""
        sources = [source for kind in CLASSES for source in self.of(kind, project=project, endpoint=None)]
        with scripts.translated(), self._client.pipeline(transaction=True) as pipeline:
            for source in sources:
                pipeline.zscore(source, number)
            scores = [score for score in pipeline.execute() if score is not None]
        if not scores:
            raise CursorNotFound(number)
        return int(scores[0]), number

    def down(self, source: str, start: Place | None) -> Iterator[Place]:
        """The places of a list, the latest first, from below `start`. Those of one microsecond go by number."""
        highest = "+inf" if start is None else start[0]
        for offset in count(step=CHUNK):
            with scripts.translated():
                rows: Any = self._client.zrange(
                    source, highest, "-inf", desc=True, byscore=True, offset=offset, num=CHUNK, withscores=True
                )
            for member, score in rows:
                place = (int(score), member.decode())
                if start is None or place < start:
                    yield place
            if len(rows) < CHUNK:
                return

    def between(self, source: str, low: int, high: int) -> list[Place]:
        """The first places of a list, about CHUNK of them, the earliest first; all that share the last one's time.

        `low` and `high` are microseconds, both included. Raises StoreUnavailable.
        """
        with scripts.translated():
            rows: Any = self._client.zrange(source, low, high, byscore=True, offset=0, num=CHUNK, withscores=True)
            if len(rows) == CHUNK:
                last = int(rows[-1][1])
                tied: Any = self._client.zrange(source, last, last, byscore=True, withscores=True)
                rows = [row for row in rows if int(row[1]) < last] + tied
        return [(int(score), member.decode()) for member, score in rows]
