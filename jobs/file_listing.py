"""Files in the order in which they came: pages over one index a project and purpose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import redis

from jobs import keys, scripts
from jobs.errors import CursorNotFound, FileNotFound
from jobs.file_record import File
from jobs.files import Files
from schemas.file import ALL_PURPOSES
from schemas.file_parts import FILE_PREFIX

Order = Literal["asc", "desc"]
Place = tuple[int, str]
"""Where a file stands: microseconds of its beginning, and its number."""

SAME_MICROSECOND = 16
"""As many may stand in one place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePage:
    files: list[File]
    has_more: bool


class FileListing:
    def __init__(self, client: redis.Redis, files: Files) -> None:
        self._client = client
        self._files = files

    def page(
        self, *, project: str | None, purpose: str | None, limit: int, after: str | None, order: Order = "desc"
    ) -> FilePage:
        """At most `limit` files of `project` (None: of all) that come behind the one with the id `after`.

        Raises CursorNotFound, StoreUnavailable.
        """
        start = self._place(after, project) if after is not None else None
        with scripts.translated():
            places = self._places(self._indexes(project, purpose), start, limit + 1, order)
        ids = [FILE_PREFIX + number for _, number in places[:limit]]
        found = self._files.get_all(ids, project=project)
        return FilePage(files=[found[i] for i in ids if i in found], has_more=len(places) > limit)

    def _place(self, file_id: str, project: str | None) -> Place:
        try:
            file = self._files.get(file_id, project=project)
        except FileNotFound as error:
            raise CursorNotFound(file_id) from error
        return file.created, file.number

    def _indexes(self, project: str | None, purpose: str | None) -> list[str]:
        projects: Any = [project.encode()] if project is not None else self._client.smembers(keys.PROJECTS)
        purposes = [purpose] if purpose is not None else ALL_PURPOSES
        return [keys.files(kind, name.decode()) for name in sorted(projects) for kind in purposes]

    def _places(self, indexes: Sequence[str], start: Place | None, count: int, order: Order) -> list[Place]:
        """The next `count` places over all the indexes; files of one microsecond go by number."""
        newest_first = order == "desc"
        ends: list[Any] = ["+inf", "-inf"] if newest_first else ["-inf", "+inf"]
        begin = ends[0] if start is None else start[0]
        with self._client.pipeline(transaction=True) as pipeline:
            for index in indexes:
                pipeline.zrange(
                    index, begin, ends[1],
                    desc=newest_first, byscore=True, offset=0, num=count + SAME_MICROSECOND, withscores=True,
                )  # fmt: skip
            rows = [row for answer in pipeline.execute() for row in answer]
        places = sorted(((int(score), member.decode()) for member, score in rows), reverse=newest_first)
        if start is not None:
            places = [place for place in places if (place < start if newest_first else place > start)]
        return places[:count]
