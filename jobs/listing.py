"""Jobs newest first: pages over one index a project and status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import redis

from jobs import keys, scripts
from jobs.errors import CursorNotFound
from jobs.job_filter import EVERY_JOB, JobFilter
from jobs.record import Job
from jobs.store import JobStore

STATUSES = ("queued", "in_progress", "completed", "failed", "incomplete", "cancelled")
MOST_LOOKED_AT = 5000
"""Records, for one page."""

PIECE = 1000
"""Of them, in one round trip: a few milliseconds in which Redis does nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`last` is the number that the next page goes on after: of a job that was looked at, None if there was none.

    `left_out` are the numbers of jobs that belong here and are missing, since a newer release wrote their records.
    """

    jobs: list[Job]
    left_out: list[str]
    last: str | None
    has_more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The numbers of a page's jobs, and the rest of the page."""

    numbers: list[str]
    last: str | None
    has_more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in the order a job stands: microseconds of its submission, then its number."""

    created: int
    number: str


class Listing:
    def __init__(self, client: redis.Redis, store: JobStore) -> None:
        self._client = client
        self._store = store

    def page(self, *, project: str | None, wanted: JobFilter = EVERY_JOB, limit: int, after: str | None = None) -> Page:
        """At most `limit` jobs of `project` (None: of all) that come after the job numbered `after`, newest first.

        Where few have the model or the metadata that is asked for, a page may be short, or empty, and have more behind
        it. Raises CursorNotFound, StoreUnavailable.
        """
        start = self._place(after, project) if after else None
        with scripts.translated():
            projects = [project] if project is not None else self._projects()
            indexes = [keys.index(name, status) for name in projects for status in wanted.statuses or STATUSES]
            look = self._looked_through if wanted.reads_records else self._listed
            found = look(indexes, wanted, start, limit)
        jobs, too_new = self._store.get_known(found.numbers)
        return Page(jobs=jobs, left_out=too_new, last=found.last, has_more=found.has_more)

    def _listed(self, indexes: list[str], wanted: JobFilter, start: Place | None, limit: int) -> Found:
        """What the indexes alone tell."""
        places = self._places(indexes, wanted, start, limit + 1)
        numbers = [place.number for place in places[:limit]]
        return Found(numbers=numbers, last=numbers[-1] if numbers else None, has_more=len(places) > limit)

    def _looked_through(self, indexes: list[str], wanted: JobFilter, start: Place | None, limit: int) -> Found:
        """What the records tell, read a piece at a time, MOST_LOOKED_AT in all."""
        size = max(50, min(PIECE, MOST_LOOKED_AT // max(1, len(indexes))))
        found: list[str] = []
        looked_at, place = 0, start
        while looked_at < MOST_LOOKED_AT:
            seen, place, numbers = self._look_through(indexes, wanted, place, size)
            found += numbers
            if len(found) > limit:
                return Found(numbers=found[:limit], last=found[limit - 1], has_more=True)
            if seen < size:
                return Found(numbers=found, last=found[-1] if found else None, has_more=False)
            looked_at += max(seen, len(indexes))  # where there are many, reading them is the work
        return Found(numbers=found, last=place.number if place else None, has_more=True)

    def _look_through(
        self, indexes: list[str], wanted: JobFilter, start: Place | None, most: int
    ) -> tuple[int, Place | None, list[str]]:
        """How many of the next `most` jobs there are, the last of them, and the numbers of those that are wanted."""
        pairs = [text for pair in wanted.metadata for text in pair]
        bounds = [wanted.highest(start.created if start else None), wanted.lowest]
        after = [start.created, start.number] if start else ["", ""]
        args = [most, *bounds, *after, wanted.model or "", len(wanted.metadata), *pairs]
        answer = scripts.run(self._client, scripts.Call(name="look_through", keys=indexes, args=args))
        seen, score, number, numbers = answer
        place = Place(created=int(score), number=number.decode()) if score else None
        return int(seen), place, [found.decode() for found in numbers]

    def _projects(self) -> list[str]:
        names: set[Any] = self._client.smembers(keys.PROJECTS)
        return sorted(name.decode() for name in names)

    def _place(self, number: str, project: str | None) -> Place:
        with scripts.translated():
            found: list[Any] = self._client.hmget(keys.job(number), "project", "created")
        owner, created = found
        if owner is None or created is None or (project is not None and owner.decode() != project):
            raise CursorNotFound(number)
        return Place(created=int(created), number=number)

    def _places(self, indexes: list[str], wanted: JobFilter, start: Place | None, count: int) -> list[Place]:
        """The next `count` places over all the indexes; jobs submitted in the same microsecond go by number."""
        highest = wanted.highest(start.created if start else None)
        with self._client.pipeline(transaction=True) as pipeline:
            for index in indexes:
                pipeline.zrange(
                    index, highest, wanted.lowest,
                    desc=True, byscore=True, offset=0, num=count + 16, withscores=True,
                )  # fmt: skip
            rows = [row for answer in pipeline.execute() for row in answer]
        places = [Place(created=int(score), number=member.decode()) for member, score in rows]
        places.sort(key=lambda place: (place.created, place.number), reverse=True)
        if start is not None:
            places = [p for p in places if (p.created, p.number) < (start.created, start.number)]
        return places[:count]
