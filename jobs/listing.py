"""Jobs newest first: pages over one index a project and status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import redis

from jobs import keys, scripts
from jobs.errors import CursorNotFound
from jobs.record import Job
from jobs.store import JobStore

STATUSES = ("queued", "in_progress", "completed", "failed", "incomplete", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    jobs: list[Job]
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

    def page(self, *, project: str | None, status: str | None, limit: int, after: str | None) -> Page:
        """At most `limit` jobs of `project` (None: of all) that come after the job numbered `after`, newest first.

        Raises CursorNotFound, StoreUnavailable.
        """
        start = self._place(after, project) if after else None
        with scripts.translated():
            projects = [project] if project is not None else self._projects()
            places = self._places(projects, [status] if status else list(STATUSES), start, limit + 1)
        found = self._store.get_all([place.number for place in places[:limit]])
        return Page(jobs=[job for job in found if job is not None], has_more=len(places) > limit)

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

    def _places(self, projects: list[str], statuses: list[str], start: Place | None, count: int) -> list[Place]:
        """The next `count` places over all the indexes; jobs submitted in the same microsecond go by number."""
        highest = "+inf" if start is None else start.created
        with self._client.pipeline(transaction=True) as pipeline:
            for project in projects:
                for status in statuses:
                    pipeline.zrange(
                        keys.index(project, status), highest, "-inf",
                        desc=True, byscore=True, offset=0, num=count + 16, withscores=True,
                    )  # fmt: skip
            rows = [row for answer in pipeline.execute() for row in answer]
        places = [Place(created=int(score), number=member.decode()) for member, score in rows]
        places.sort(key=lambda place: (place.created, place.number), reverse=True)
        if start is not None:
            places = [p for p in places if (p.created, p.number) < (start.created, start.number)]
        return places[:count]
