"""All jobs that a service has, while it goes on: pages are followed even where jobs are deleted meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from respool.client import PAGE_ROWS, Api
from respool.errors import Refused, understood


def every_job(api: Api, **query: Any) -> Iterator[dict[str, Any]]:
    """Each that GET /v1/jobs finds, as it is handed out, newest first; one page is in memory at a time.

    Those submitted meanwhile are left out. Raises what Api raises, and Refused if a whole page was deleted before the
    next one was asked for, or the service has jobs that only a newer release can hand out.
    """
    told: list[str] = []
    while True:
        page = _page_after(api, told, query)
        jobs, seen = _jobs(page), set(told)
        yield from (job for job in jobs if job["id"] not in seen)
        told = [str(job["id"]) for job in jobs]
        if not page.get("has_more") or not told:
            return


def _page_after(api: Api, ids: Sequence[str], query: dict[str, Any]) -> dict[str, Any]:
    """What comes after the last of these jobs; after an earlier one if that was deleted meanwhile."""
    for cursor in reversed(ids[1:]):
        try:
            return api.get("/v1/jobs", **query, limit=PAGE_ROWS, after=cursor)
        except Refused as error:
            if error.param != "after":
                raise
    start = {"after": ids[0]} if ids else {}
    return api.get("/v1/jobs", **query, limit=PAGE_ROWS, **start)


def _jobs(page: dict[str, Any]) -> list[dict[str, Any]]:
    with understood():
        if left_out := page.get("left_out"):
            raise Refused(f"a newer release wrote {left_out[0]}, which has to hand it out: start that one again")
        return [job for job in page["data"] if job["id"]]
